# LibTorch::LibTorch (ATen and autograd). By hand: Torch's own package pulls in the build's
# dependencies and global compile flags.
find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h)
foreach(name torch torch_cpu c10)
  find_library(LibTorch_${name}_LIBRARY ${name})
endforeach()
set(header ${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h)
if(EXISTS ${header})
  file(STRINGS ${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX MATCHALL "[0-9]+" LibTorch_VERSION "${lines}")
  list(JOIN LibTorch_VERSION "." LibTorch_VERSION)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_LIBRARY LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY
    LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION)
if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${LibTorch_INCLUDE_DIR}
    ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(LibTorch::LibTorch INTERFACE ${LibTorch_torch_LIBRARY}
    ${LibTorch_torch_cpu_LIBRARY} ${LibTorch_c10_LIBRARY})
endif()
