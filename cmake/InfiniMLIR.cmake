# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Finds MLIR, and gives functions for the compiler's libraries. Everything links
# libMLIR.so and libLLVM.so; MLIR's static archives are never mixed in.

find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
find_package(LLD REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/lld)
message(STATUS "MLIR ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)
include(TableGen)
include(AddLLVM)
include(AddMLIR)
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/lib)

# Generates OUT from TD with the given tablegen actions, into
# <build>/include-gen/infini/<folder>/, and adds it to TARGET.
function(infini_tablegen target td)
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(out ${CMAKE_BINARY_DIR}/include-gen/infini/${folder})
  file(MAKE_DIRECTORY ${out})
  set(outputs)
  while(ARGN)
    list(POP_FRONT ARGN file action)
    separate_arguments(action)
    add_custom_command(
      OUTPUT ${out}/${file}
      COMMAND ${MLIR_TABLEGEN_EXE} ${action} ${CMAKE_CURRENT_SOURCE_DIR}/${td}
              -I ${CMAKE_BINARY_DIR}/include -I ${MLIR_INCLUDE_DIRS}
              --write-if-changed -d ${out}/${file}.d -o ${out}/${file}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${td} ${ARG_DEPENDS}
      DEPFILE ${out}/${file}.d
      COMMENT "Tablegen ${folder}/${file}")
    list(APPEND outputs ${out}/${file})
  endwhile()
  add_custom_target(${target} DEPENDS ${outputs})
  set_property(GLOBAL APPEND PROPERTY INFINI_TABLEGEN_TARGETS ${target})
endfunction()

# One precompiled header serves all of the compiler's sources: a one-pattern
# file costs 8 CPU seconds without it and below 2 with it.
add_library(infini_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_include_directories(infini_pch SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_precompile_headers(infini_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
target_compile_options(infini_pch PRIVATE -fno-exceptions)

# A library of the compiler: infini_add_library(name sources... [LINK libs...] [TABLEGEN targets...])
function(infini_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} OBJECT ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  target_precompile_headers(${name} REUSE_FROM infini_pch)
  get_property(tablegen GLOBAL PROPERTY INFINI_TABLEGEN_TARGETS)
  add_dependencies(${name} ${tablegen})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  set_property(GLOBAL APPEND PROPERTY INFINI_COMPILER_LIBRARIES ${name})
endfunction()
