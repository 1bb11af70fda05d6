# The commit as a small generated header, looked up at every build: included, this file makes the target
# atoll_version_data; run as a script (cmake -P), it writes the header, only if its content changed, so
# that a new commit recompiles one source and nothing else.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(ATOLL_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
  set(ATOLL_VERSION_HEADER "${ATOLL_GENERATED_DIR}/atoll_version_data.hpp")
  find_program(ATOLL_GIT git)
  add_custom_target(atoll_version_data
    COMMAND "${CMAKE_COMMAND}" "-DHEADER=${ATOLL_VERSION_HEADER}" "-DSOURCE=${PROJECT_SOURCE_DIR}"
            "-DVERSION=${PROJECT_VERSION}" "-DGIT=${ATOLL_GIT}" -P "${CMAKE_CURRENT_LIST_FILE}"
    BYPRODUCTS "${ATOLL_VERSION_HEADER}"
    COMMENT "Looking up the commit" VERBATIM)
  return()
endif()

set(commit "unknown")
if(GIT AND EXISTS "${SOURCE}/.git")
  # The owner of a checkout may differ from who builds it (containers): reading it is safe.
  set(git "${GIT}" -c "safe.directory=${SOURCE}" -C "${SOURCE}")
  execute_process(COMMAND ${git} rev-parse --short=12 HEAD RESULT_VARIABLE failed
                  OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed AND hash)
    set(commit "${hash}")
    execute_process(COMMAND ${git} --no-optional-locks diff --quiet HEAD -- RESULT_VARIABLE changed
                    OUTPUT_QUIET ERROR_QUIET)
    if(changed EQUAL 1)
      string(APPEND commit "+")
    endif()
  endif()
endif()
set(content "#pragma once
namespace atl::version_data {
inline constexpr const char* version = \"${VERSION}\";
inline constexpr const char* commit = \"${commit}\";
}  // namespace atl::version_data
")
set(old "")
if(EXISTS "${HEADER}")
  file(READ "${HEADER}" old)
endif()
if(NOT old STREQUAL content)
  file(WRITE "${HEADER}" "${content}")
endif()
