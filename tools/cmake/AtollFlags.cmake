# Flags as interface targets: every target of the project links atoll_flags.
add_library(atoll_flags INTERFACE)
add_library(atoll_warnings INTERFACE)
target_include_directories(atoll_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(atoll_flags INTERFACE cxx_std_20)
# The same bits on every x86-64: no contraction, no fast-math, no -march=native.
target_compile_options(atoll_flags INTERFACE -ffp-contract=off)
# Tests are built with -O1, where GCC 12 sees null pointers inside std::string.
target_compile_options(atoll_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual $<$<NOT:$<BOOL:$<TARGET_PROPERTY:ATOLL_TEST>>>:-Wnull-dereference> -Wimplicit-fallthrough
  # GCC 12 sees overlaps in "text" + std::to_string(n) where there are none (GCC bug 105329).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<BOOL:${ATOLL_WARNINGS_AS_ERRORS}>:-Werror>)
if(ATOLL_SANITIZER)
  target_compile_options(atoll_flags INTERFACE
    -fsanitize=${ATOLL_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(atoll_flags INTERFACE -fsanitize=${ATOLL_SANITIZER})
endif()
if(ATOLL_FUZZ)
  set(ATOLL_FUZZ_FLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(atoll_flags INTERFACE ${ATOLL_FUZZ_FLAGS})
  target_link_options(atoll_flags INTERFACE -fsanitize=address,undefined)
endif()
find_program(ATOLL_CCACHE ccache)
if(ATOLL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${ATOLL_CCACHE}")
endif()
