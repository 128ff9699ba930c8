/**
 * What all hosts share: keys and values with compare-and-swap transactions, listings at one moment,
 * watches that tell every change or say that they cannot, and keys that live as long as a process.
 *
 * <p>{@link io.wayleave.datastore.Datastore} is the contract. {@link
 * io.wayleave.datastore.Datastores} opens the store of a URL; {@link
 * io.wayleave.datastore.MemoryDatastore} is the twin for unit tests, held to the same contract
 * suite. On top of it: {@link io.wayleave.datastore.Syncer} (follow a prefix), {@link
 * io.wayleave.datastore.ResourceStore} (the model's resources) and {@link
 * io.wayleave.datastore.PresenceKeeper} (be seen as alive). {@link io.wayleave.datastore.Keys} has
 * the layout of the store.
 *
 * <p>Calls block and keep their deadline: virtual threads make that cheap, and a caller sees where
 * it waits. {@link io.wayleave.datastore.DatastoreUnavailableException} means "try again later".
 */
package io.wayleave.datastore;
