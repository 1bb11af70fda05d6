# A room is a folder of src/ and include/atoll/ with the same name; it becomes the library
# atoll_<room>. A room names the rooms it may use, so a forbidden include fails to link.
function(atoll_room room)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${room}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(atoll_${room} INTERFACE)
    return()
  endif()
  add_library(atoll_${room} STATIC ${sources})
  add_library(atoll::${room} ALIAS atoll_${room})
  target_link_libraries(atoll_${room} PUBLIC atoll_flags PRIVATE $<BUILD_INTERFACE:atoll_warnings>)
  foreach(used IN LISTS ARG_ROOMS)
    target_link_libraries(atoll_${room} PUBLIC atoll_${used})
  endforeach()
  target_link_libraries(atoll_${room} PRIVATE ${ARG_LIBRARIES})
endfunction()

# Tests spend their time in the libraries; optimising the test framework's code would only slow the build.
set(ATOLL_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)

# The tests of a room: every tests/<room>/*.cpp goes into the program test_<room>, apart from
# *_mpi.cpp, each of which is a program of its own that runs at several rank counts.
function(atoll_room_tests room)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.cpp")
  set(mpi_sources ${sources})
  list(FILTER sources EXCLUDE REGEX "_mpi\\.cpp$")
  list(FILTER mpi_sources INCLUDE REGEX "_mpi\\.cpp$")
  if(sources)
    add_executable(test_${room} ${sources})
    target_link_libraries(test_${room} PRIVATE atoll_${room} atoll_warnings GTest::gtest_main
                                               GTest::gmock ${ARG_LIBRARIES})
    foreach(used IN LISTS ARG_ROOMS)
      target_link_libraries(test_${room} PRIVATE atoll_${used})
    endforeach()
    target_compile_options(test_${room} PRIVATE ${ATOLL_TEST_OPTIONS})
    set_target_properties(test_${room} PROPERTIES ATOLL_TEST ON)
    target_compile_definitions(test_${room} PRIVATE
      ATOLL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ATOLL_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    gtest_discover_tests(test_${room} TEST_PREFIX "${room}." DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 300)
  endif()
  foreach(source IN LISTS mpi_sources)
    cmake_path(GET source STEM stem)
    add_executable(test_${room}_${stem} ${source})
    target_link_libraries(test_${room}_${stem} PRIVATE atoll_${room} atoll_warnings GTest::gtest
                                                       MPI::MPI_C ${ARG_LIBRARIES})
    foreach(used IN LISTS ARG_ROOMS)
      target_link_libraries(test_${room}_${stem} PRIVATE atoll_${used})
    endforeach()
    target_compile_options(test_${room}_${stem} PRIVATE ${ATOLL_TEST_OPTIONS})
    set_target_properties(test_${room}_${stem} PROPERTIES ATOLL_TEST ON)
    target_compile_definitions(test_${room}_${stem} PRIVATE
      ATOLL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ATOLL_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    foreach(ranks 1 2 3 4 8)
      add_test(NAME ${room}.${stem}.ranks${ranks}
               COMMAND ${MPIEXEC_EXECUTABLE} -n ${ranks} $<TARGET_FILE:test_${room}_${stem}>)
      set_tests_properties(${room}.${stem}.ranks${ranks} PROPERTIES
        ENVIRONMENT "${ATOLL_MPI_ENVIRONMENT}" TIMEOUT 300 PROCESSORS 2)
    endforeach()
  endforeach()
endfunction()

# More ranks than cores, no binding, as root in a container: what a test machine needs.
set(ATOLL_MPI_ENVIRONMENT
  "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_mpi_yield_when_idle=1;OMPI_MCA_btl_vader_single_copy_mechanism=none;HDF5_USE_FILE_LOCKING=FALSE")
