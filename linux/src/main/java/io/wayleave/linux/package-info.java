/**
 * The kernel as this project needs it, by {@code java.lang.foreign}: descriptors with an owner,
 * network namespaces, sysctls, Unix sockets that carry descriptors. No process is started. Errors
 * are {@link io.wayleave.linux.SystemCallException} with the name of the error number.
 */
package io.wayleave.linux;
