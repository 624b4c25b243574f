/* How many processors this process may use. */
#ifndef JR_RUNTIME_PROCESSORS_H
#define JR_RUNTIME_PROCESSORS_H

/* Those of its affinity mask, and no more than the quota of its cgroup comes to; at least 1. */
int jr_processors(void);

/* The quota alone, rounded up to whole processors; 0: none. `cgroups` is the text of
 * /proc/self/cgroup, `mount` where the hierarchies are: "/sys/fs/cgroup". Both versions. */
int jr_processors_quota(const char *cgroups, const char *mount);

#endif
