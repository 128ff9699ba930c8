/** The datastore in an etcd v3 cluster, over jetcd's protocol stubs. */
package io.wayleave.datastore.etcd;
