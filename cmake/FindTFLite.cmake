# TFLite::TFLite. By hand: TFLite's own package asks for dependencies of its build that its users do
# not need. Its headers state no version that CMake could read; `octet --version` prints it.
find_path(TFLite_INCLUDE_DIR tensorflow/lite/interpreter.h)
find_library(TFLite_LIBRARY tensorflow-lite)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TFLite REQUIRED_VARS TFLite_LIBRARY TFLite_INCLUDE_DIR)
if(TFLite_FOUND AND NOT TARGET TFLite::TFLite)
  add_library(TFLite::TFLite SHARED IMPORTED)
  set_target_properties(TFLite::TFLite PROPERTIES
    IMPORTED_LOCATION ${TFLite_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${TFLite_INCLUDE_DIR})
endif()
