# `cmake --install`: the library with the plug-in beside it, the header, the command, the manual
# page, a CMake package (jitrun::jitrun) and a pkg-config file. Nothing holds an absolute path:
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
