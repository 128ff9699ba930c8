package io.wayleave.model;

import java.util.List;

/** Manifests of every kind that policy is made of, with every field. */
final class PolicySamples {
  static final String RULES =
      """
      apiVersion: projectcalico.org/v3
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec:
        tier: platform
        order: 10.5
        selector: app == "web"
        types: [Ingress, Egress]
        ingress:
          - action: Allow
            ipVersion: 4
            protocol: TCP
            metadata: {annotations: {why: customers}}
            source:
              nets: [10.0.0.0/8]
              notNets: [10.1.0.0/16]
              selector: role == "client"
              notSelector: has(quarantined)
              namespaceSelector: kubernetes.io/metadata.name == "front"
              ports: [1024:65535]
              notPorts: [2000]
            destination:
              ports: [80, 8000:8080, http]
              notPorts: [admin]
          - action: Log
            notProtocol: UDP
          - action: Pass
            protocol: ICMP
            icmp: {type: 8, code: 0}
          - action: Deny
            protocol: ICMPv6
            notICMP: {type: 128}
        egress:
          - {action: Allow, protocol: 132}
      """;

  private static final String OTHERS =
      """
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata: {name: web, namespace: shop}
      spec: {stagedAction: Delete, selector: app == "web"}
      ---
      apiVersion: projectcalico.org/v3
      kind: StagedGlobalNetworkPolicy
      metadata: {name: closed}
      spec:
        stagedAction: Set
        namespaceSelector: has(untrusted)
        types: [Ingress, Egress]
      ---
      apiVersion: projectcalico.org/v3
      kind: Tier
      metadata: {name: platform}
      spec: {order: 100, defaultAction: Pass}
      ---
      apiVersion: projectcalico.org/v3
      kind: NetworkSet
      metadata: {name: partners, labels: {role: partner}}
      spec: {nets: [192.0.2.0/24, "2001:db8::/32"]}
      ---
      apiVersion: projectcalico.org/v3
      kind: GlobalNetworkSet
      metadata: {name: offices, labels: {role: office}}
      spec: {nets: [198.51.100.7/32]}
      ---
      apiVersion: projectcalico.org/v3
      kind: Profile
      metadata: {name: base}
      spec:
        labelsToApply: {env: prod}
        ingress: [{action: Allow, source: {selector: env == "prod"}}]
        egress: [{action: Allow}]
      ---
      apiVersion: projectcalico.org/v3
      kind: HostEndpoint
      metadata: {name: r1h1-all, labels: {kind: host}}
      spec:
        node: r1h1
        interfaceName: "*"
        expectedIPs: [10.90.1.11, "fd90::11"]
        profiles: [base]
        ports: [{name: ssh, protocol: TCP, port: 22}]
      """;

  private PolicySamples() {}

  static List<Resource> everyKind() {
    return ResourceCodec.fromManifest(RULES + "---\n" + OTHERS);
  }
}
