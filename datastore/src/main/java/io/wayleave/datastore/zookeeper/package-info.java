/**
 * The datastore in a ZooKeeper ensemble, with Curator as the keeper of the connection. Nothing here
 * is loaded unless a URL asks for it.
 */
package io.wayleave.datastore.zookeeper;
