# What tests need beside the code, and the checks of the source itself.
enable_language(C)
add_library(failing_fsync SHARED tests/support/failing_fsync.c) # also for LD_PRELOAD
target_link_libraries(failing_fsync PRIVATE ${CMAKE_DL_LIBS})
target_include_directories(failing_fsync PUBLIC tests/support)
if(TARGET storage_test)
  target_link_libraries(storage_test PRIVATE failing_fsync)
endif()

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME tidy COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/tidy.py)
add_test(NAME tidy_test COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/tidy_test.py)
add_test(NAME schema_leaves COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/schema_leaves_test.py)

# One ctest test per script. Each starts real brokers; of those with a Kubernetes cluster one runs at a time, and those that measure run alone.
file(GLOB scripts CONFIGURE_DEPENDS tests/e2e/*.sh)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME_WE)
  add_test(NAME e2e/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/run.sh ${name})
  set_tests_properties(e2e/${name} PROPERTIES TIMEOUT 3600 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  file(STRINGS ${script} kube REGEX "kube_lib.sh|support/kube/" LIMIT_COUNT 1)
  if(kube)
    set_tests_properties(e2e/${name} PROPERTIES RESOURCE_LOCK kubernetes)
  endif()
endforeach()
set_tests_properties(e2e/operator_scale e2e/scale PROPERTIES RUN_SERIAL ON)
