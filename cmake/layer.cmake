# octet_layer(NAME [TORCH | PCH HEADERS] [LINKS ...]): one folder of src/ as an object library of
# the octet library. TORCH: it sees ATen, through one shared precompiled header. PCH: it has a
# precompiled header of its own with what is slow to read there.
set(OCTET_STD_HEADERS <algorithm> <filesystem> <format> <functional> <map> <memory> <optional> <span>
  <string> <string_view> <variant> <vector>)
add_library(octet_flags INTERFACE)
# Rows and option structs name the fields that differ from their defaults.
target_compile_options(octet_flags INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor
  -Wno-missing-field-initializers)
# at::parallel_for is a loop on one thread where it is compiled without.
target_link_libraries(octet_flags INTERFACE OpenMP::OpenMP_CXX)
target_include_directories(octet_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(OCTET_SANITIZE)
  target_compile_options(octet_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
    -O1)
  target_link_options(octet_flags INTERFACE -fsanitize=address,undefined)
endif()

# octet_precompiled(NAME LINKS ... HEADERS ...): a precompiled header that layers share.
function(octet_precompiled name)
  cmake_parse_arguments(ARG "" "" "LINKS;HEADERS" ${ARGN})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PUBLIC octet_flags ${ARG_LINKS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS} ${OCTET_STD_HEADERS})
endfunction()

function(octet_layer name)
  cmake_parse_arguments(ARG "TORCH" "" "PCH;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${name}/*.cpp)
  string(REPLACE "/" "_" target octet_${name})
  add_library(${target} OBJECT ${sources})
  set_target_properties(${target} PROPERTIES UNITY_BUILD_BATCH_SIZE 9)
  target_link_libraries(${target} PUBLIC octet_flags ${ARG_LINKS})
  if(ARG_TORCH)
    target_link_libraries(${target} PUBLIC LibTorch::LibTorch)
    target_precompile_headers(${target} REUSE_FROM octet_torch_header)
  elseif(ARG_PCH)
    target_precompile_headers(${target} PRIVATE ${ARG_PCH} ${OCTET_STD_HEADERS})
  else()
    target_precompile_headers(${target} REUSE_FROM octet_std_header)
  endif()
  set_property(GLOBAL APPEND PROPERTY OCTET_LAYERS ${target})
endfunction()
