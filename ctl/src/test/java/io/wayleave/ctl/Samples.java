package io.wayleave.ctl;

/** Resources for tests. */
final class Samples {
  /** Of each kind one or two, in order of kind and name. */
  static final String EVERY_KIND =
      """
      apiVersion: wayleave.io/v1
      kind: BGPConfiguration
      metadata: {name: default}
      spec: {nodeToNodeMeshEnabled: false, asNumber: 65000, listenPort: 1179}
      ---
      apiVersion: wayleave.io/v1
      kind: BGPPeer
      metadata: {name: tor1}
      spec:
        nodeSelector: rack == "1"
        peerIP: 10.0.0.1:1179
        asNumber: 4200000000
        keepaliveTime: 3
        maxRestartTime: 60
      ---
      apiVersion: wayleave.io/v1
      kind: BGPPeer
      metadata: {name: tor2}
      spec: {node: r1h1, peerIP: "fd00::1", asNumber: 65002}
      ---
      apiVersion: wayleave.io/v1
      kind: BGPFilter
      metadata: {name: from-tors}
      spec:
        importV4:
          - {cidr: 10.244.0.0/16, matchOperator: In, action: Reject}
          - {interface: eth*, action: Accept, operations: [{setPriority: {value: 512}}]}
        exportV6: [{source: RemotePeers, action: Reject}]
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: floor}
      spec: {}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: web}
      spec:
        order: 10
        selector: app == "web"
        ingress: [{action: Allow, protocol: TCP, destination: {ports: [80]}}]
        egress: [{action: Deny, protocol: 47}]
      ---
      apiVersion: wayleave.io/v1
      kind: IPAMConfiguration
      metadata: {name: default}
      spec: {strictAffinity: true, maxBlocksPerHost: 4, reuseDelaySeconds: 5}
      ---
      apiVersion: wayleave.io/v1
      kind: IPPool
      metadata: {name: four}
      spec: {cidr: 10.244.0.0/16}
      ---
      apiVersion: wayleave.io/v1
      kind: IPPool
      metadata: {name: six}
      spec: {cidr: "fd00:10::/48", disabled: true, nodeSelector: rack == "1"}
      ---
      apiVersion: wayleave.io/v1
      kind: IPReservation
      metadata: {name: switches}
      spec: {reservedCIDRs: [10.244.0.0/28, "fd00:10::1/128"]}
      ---
      apiVersion: wayleave.io/v1
      kind: Node
      metadata: {name: r1h1, labels: {role: edge, rack: "1"}}
      spec: {bgp: {asNumber: 65101, ipv4Address: 10.90.1.11/24, ipv6Address: "fd90::1"}}
      ---
      apiVersion: wayleave.io/v1
      kind: Node
      metadata: {name: r1h2}
      spec: {}
      ---
      apiVersion: wayleave.io/v1
      kind: Tier
      metadata: {name: platform}
      spec: {order: 100, defaultAction: Pass}
      ---
      apiVersion: wayleave.io/v1
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec: {tier: platform, selector: app == "web", ingress: [{action: Pass}]}
      ---
      apiVersion: wayleave.io/v1
      kind: StagedNetworkPolicy
      metadata: {name: web, namespace: shop}
      spec: {stagedAction: Delete}
      ---
      apiVersion: wayleave.io/v1
      kind: StagedGlobalNetworkPolicy
      metadata: {name: closed}
      spec: {order: 1, types: [Egress]}
      ---
      apiVersion: wayleave.io/v1
      kind: NetworkSet
      metadata: {name: partners, namespace: shop, labels: {role: partner}}
      spec: {nets: [192.0.2.0/24, "2001:db8::/32"]}
      ---
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkSet
      metadata: {name: offices}
      spec: {nets: [198.51.100.7/32]}
      ---
      apiVersion: wayleave.io/v1
      kind: Profile
      metadata: {name: base}
      spec: {labelsToApply: {env: prod}, ingress: [{action: Allow}], egress: []}
      ---
      apiVersion: wayleave.io/v1
      kind: HostEndpoint
      metadata: {name: r1h1-all, labels: {kind: host}}
      spec: {node: r1h1, interfaceName: "*", expectedIPs: [10.90.1.11]}
      ---
      apiVersion: wayleave.io/v1
      kind: WorkloadEndpoint
      metadata: {name: r1h1.0123456789abcdef0.eth0, labels: {app: web}}
      spec:
        node: r1h1
        containerID: 0123456789abcdef0
        endpoint: eth0
        interfaceName: wl0123456789a
        mac: 02:00:00:00:00:01
        ipNetworks: [10.244.0.5/32, "fd00:10::5/128"]
        network: net
        generation: "7"
      """;

  /** A node that {@link #EVERY_KIND} does not have. */
  static final String NODES =
      """
      apiVersion: wayleave.io/v1
      kind: Node
      metadata: {name: r2h1}
      """;

  private Samples() {}
}
