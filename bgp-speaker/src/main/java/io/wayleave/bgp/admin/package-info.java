/**
 * The admin API: HTTP on a Unix socket, served by the agent and by the speaker alone, and what both
 * answer about BGP. What an answer is made of are the records of {@link io.wayleave.model.status}.
 */
package io.wayleave.bgp.admin;
