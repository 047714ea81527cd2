# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What `cmake --install` puts where; docs/install.md says it to users. Included
# last, by the whole project or by the runtime when it is built alone.
#
# Nothing that is installed holds a path of this machine, but for that of LLVM's
# libraries, which the compiler needs and which stay where they are.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_filename_component(infini_root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(infini_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Infini)
set(infini_doc_folder ${CMAKE_INSTALL_DATADIR}/doc/infini)
# Before 1.0 a new minor version may change interfaces.
string(REGEX MATCH "^[0-9]+\\.[0-9]+" infini_soversion ${infini_version})
file(RELATIVE_PATH infini_bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})

#-------------------------------------------------------------------------------
# The runtime: needs no LLVM
#-------------------------------------------------------------------------------

set_target_properties(infini_shared PROPERTIES
  EXPORT_NAME Runtime
  VERSION ${infini_version}
  SOVERSION ${infini_soversion}
  INSTALL_RPATH "")
install(TARGETS infini_shared EXPORT InfiniRuntimeTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Runtime
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${infini_root}/runtime/infini.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/infini/runtime COMPONENT Runtime)
install(EXPORT InfiniRuntimeTargets NAMESPACE Infini::
  DESTINATION ${infini_cmake_folder} COMPONENT Runtime)

file(RELATIVE_PATH infini_pc_to_prefix
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" infini_pc_to_prefix ${infini_pc_to_prefix})
configure_file(${infini_root}/cmake/infini.pc.in ${CMAKE_BINARY_DIR}/infini.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/infini.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT Runtime)

#-------------------------------------------------------------------------------
# The compiler: one library, and what an extension includes (docs/extending.md)
#-------------------------------------------------------------------------------

if(TARGET InfiniCompiler)
  set_target_properties(InfiniCompiler PROPERTIES
    EXPORT_NAME Compiler
    VERSION ${infini_version}
    SOVERSION ${infini_soversion}
    INSTALL_RPATH "\$ORIGIN;${LLVM_LIBRARY_DIR}")
  target_compile_features(InfiniCompiler INTERFACE cxx_std_17)
  install(TARGETS InfiniCompiler EXPORT InfiniCompilerTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Compiler
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  set(infini_headers ${CMAKE_INSTALL_INCLUDEDIR}/infini)
  install(DIRECTORY ${infini_root}/dialect ${CMAKE_BINARY_DIR}/include-gen/infini/dialect
    DESTINATION ${infini_headers} COMPONENT Compiler
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc")
  # Not the headers that passes share among themselves.
  foreach(header
      frontend/Config.h
      passes/Passes.h
      passes/Passes.td
      passes/Pipelines.h
      passes/emit/Compile.h
      passes/infini/ScheduleCost.h
      runtime/element_type.h
      tools/compile/CommandLine.h)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${infini_root}/${header}
      DESTINATION ${infini_headers}/${folder} COMPONENT Compiler)
  endforeach()
  install(FILES ${CMAKE_BINARY_DIR}/include-gen/infini/passes/Passes.h.inc
    DESTINATION ${infini_headers}/passes COMPONENT Compiler)
  install(EXPORT InfiniCompilerTargets NAMESPACE Infini::
    DESTINATION ${infini_cmake_folder} COMPONENT Compiler)
endif()

#-------------------------------------------------------------------------------
# Programs, with their completions
#-------------------------------------------------------------------------------

# With what a program is installed: with the runtime if it needs no LLVM.
function(infini_component_of tool result)
  set(${result} Compiler PARENT_SCOPE)
  if(tool MATCHES "-run$|-inspect$")
    set(${result} Runtime PARENT_SCOPE)
  endif()
endfunction()

set(infini_tools)
foreach(tool infini-run infini-inspect infini-compile infini-opt infini-memory)
  if(NOT TARGET ${tool})
    continue()
  endif()
  list(APPEND infini_tools ${tool})
  infini_component_of(${tool} component)
  set(rpath "")
  if(component STREQUAL "Compiler")
    set(rpath "\$ORIGIN/${infini_bin_to_lib};${LLVM_LIBRARY_DIR}")
  endif()
  set_target_properties(${tool} PROPERTIES INSTALL_RPATH "${rpath}")
  install(TARGETS ${tool} EXPORT InfiniToolsTargets
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
endforeach()
install(EXPORT InfiniToolsTargets NAMESPACE Infini::
  DESTINATION ${infini_cmake_folder} COMPONENT Runtime)
include(${infini_root}/cmake/InfiniCompletions.cmake)
infini_add_completions(${infini_tools})

#-------------------------------------------------------------------------------
# find_package(Infini), and what people read
#-------------------------------------------------------------------------------

configure_package_config_file(
  ${infini_root}/cmake/InfiniConfig.cmake.in ${CMAKE_BINARY_DIR}/InfiniConfig.cmake
  INSTALL_DESTINATION ${infini_cmake_folder}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/InfiniConfigVersion.cmake
  VERSION ${infini_version} COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_BINARY_DIR}/InfiniConfig.cmake ${CMAKE_BINARY_DIR}/InfiniConfigVersion.cmake
  DESTINATION ${infini_cmake_folder} COMPONENT Runtime)

# As they lie in the repository, so that links between them hold.
install(FILES ${infini_root}/README.md ${infini_root}/LICENSE ${infini_root}/CONTRIBUTING.md
  DESTINATION ${infini_doc_folder} COMPONENT Documentation)
install(DIRECTORY ${infini_root}/docs ${infini_root}/examples
  DESTINATION ${infini_doc_folder} COMPONENT Documentation
  PATTERN "__pycache__" EXCLUDE)
