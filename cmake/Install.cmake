# `cmake --install`: the library with the plug-in beside it, the header, the command, manual
# pages, shell completion, a CMake package (jitrun::jitrun) and a pkg-config file. Nothing holds an absolute path:
# the prefix may be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/jitrun)

set_target_properties(jitrun PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(jitrun_cli PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
install(TARGETS jitrun EXPORT jitrunTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS jitrun_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS jitrun_rt ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(JITRUN_HAVE_LLVM)
  set_target_properties(jitrun_llvm PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS jitrun_llvm LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/include/jitrun.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/jitrun.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
include(ManPage)
install(FILES ${PROJECT_BINARY_DIR}/package/jitrun.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)

# Completion, which the command prints itself, in the folders where the shells look.
if(NOT CMAKE_CROSSCOMPILING)
  foreach(shell bash zsh fish)
    set(file ${PROJECT_BINARY_DIR}/package/completion.${shell})
    add_custom_command(OUTPUT ${file} COMMAND jitrun_cli --completion ${shell} > ${file}
                       DEPENDS jitrun_cli VERBATIM)
    list(APPEND completions ${file})
  endforeach()
  add_custom_target(completions ALL DEPENDS ${completions})
  set(dir ${PROJECT_BINARY_DIR}/package)
  install(FILES ${dir}/completion.bash RENAME jitrun
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${dir}/completion.zsh RENAME _jitrun
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${dir}/completion.fish RENAME jitrun.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

install(EXPORT jitrunTargets NAMESPACE jitrun:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/jitrunConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/jitrunConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/jitrunConfigVersion.cmake
  COMPATIBILITY SameMinorVersion) # names may change between minor versions until 1.0
install(FILES ${PROJECT_BINARY_DIR}/package/jitrunConfig.cmake
  ${PROJECT_BINARY_DIR}/package/jitrunConfigVersion.cmake DESTINATION ${package_dir})

file(RELATIVE_PATH JITRUN_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/jitrun.pc.in ${PROJECT_BINARY_DIR}/package/jitrun.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/jitrun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
