# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Completions of the programs' command lines, for bash, zsh, and fish: made from
# what the programs themselves list, so that they cannot be out of date.

function(infini_add_completions)
  find_package(Python3 COMPONENTS Interpreter)
  if(NOT Python3_FOUND OR CMAKE_CROSSCOMPILING)
    message(STATUS "No completions: they need Python, and programs that run here")
    return()
  endif()
  set(folder ${CMAKE_BINARY_DIR}/share)
  set(script ${infini_root}/tools/completions.py)
  set(all)
  foreach(tool ${ARGN})
    # As bash, zsh, and fish look for them.
    set(outputs
      ${folder}/bash-completion/completions/${tool}
      ${folder}/zsh/site-functions/_${tool}
      ${folder}/fish/vendor_completions.d/${tool}.fish)
    # LeakSanitizer has objections to LLVM, where it is on.
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0
              ${Python3_EXECUTABLE} ${script} $<TARGET_FILE:${tool}> --out ${folder}
      DEPENDS ${script} ${tool} $<$<TARGET_EXISTS:InfiniCompiler>:InfiniCompiler>
      COMMENT "Completions of ${tool}"
      VERBATIM)
    list(APPEND all ${outputs})
    infini_component_of(${tool} component)
    foreach(output ${outputs})
      file(RELATIVE_PATH place ${folder} ${output})
      get_filename_component(place ${place} DIRECTORY)
      install(FILES ${output} DESTINATION ${CMAKE_INSTALL_DATADIR}/${place} COMPONENT ${component})
    endforeach()
  endforeach()
  add_custom_target(infini-completions ALL DEPENDS ${all})
endfunction()
