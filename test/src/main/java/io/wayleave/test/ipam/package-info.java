/**
 * {@code ./dev bench ipam}: how fast IPAM is beside the bare transactions of the same etcd, in the
 * same run.
 *
 * <p>{@link io.wayleave.test.ipam.IpamBench} is the run and its tables, {@link
 * io.wayleave.test.ipam.BareTransactions} what IPAM is compared with.
 */
package io.wayleave.test.ipam;
