# Makes the target jitrun_tcc: libtcc in a form that links into a shared library. Debian's archive
# refers to stdout, stderr and environ by copy relocations, which a shared library cannot have, so
# a copy of it gets those names replaced by variables of ours (backend/tcc/shim.c). It also calls
# exit when memory runs out, with its semaphore held: these become functions of ours as well.
set(tcc_copy ${PROJECT_BINARY_DIR}/libtcc-jitrun.a)
add_custom_command(OUTPUT ${tcc_copy}
  COMMAND ${CMAKE_OBJCOPY} --redefine-sym stdout=jr_tcc_stdout --redefine-sym stderr=jr_tcc_stderr
          --redefine-sym environ=jr_tcc_environ --redefine-sym exit=jr_tcc_exit
          --redefine-sym sem_init=jr_tcc_sem_init --redefine-sym sem_wait=jr_tcc_sem_wait
          --redefine-sym sem_post=jr_tcc_sem_post ${JITRUN_TCC_LIBRARY} ${tcc_copy}
  DEPENDS ${JITRUN_TCC_LIBRARY} VERBATIM)
add_custom_target(jitrun_tcc_copy DEPENDS ${tcc_copy})
add_library(jitrun_tcc INTERFACE)
add_dependencies(jitrun_tcc jitrun_tcc_copy)
target_include_directories(jitrun_tcc SYSTEM INTERFACE ${JITRUN_TCC_INCLUDE})
target_link_libraries(jitrun_tcc INTERFACE ${tcc_copy})

# tcc_relocate takes the memory to write to up to 0.9.27, and nothing but the state after it.
file(STRINGS ${JITRUN_TCC_INCLUDE}/libtcc.h tcc_relocate_line REGEX "tcc_relocate *\\(TCCState")
if(NOT tcc_relocate_line MATCHES ",")
  target_compile_definitions(jitrun_tcc INTERFACE JITRUN_TCC_ONE_ARGUMENT=1)
endif()
