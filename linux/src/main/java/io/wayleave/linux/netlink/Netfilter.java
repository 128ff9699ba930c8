package io.wayleave.linux.netlink;

import io.wayleave.model.Family;

/** Numbers of linux/netfilter/*.h that are used here, all in one place. */
final class Netfilter {
  static final int NETLINK_NETFILTER = 12;

  static final int NFNL_SUBSYS_CTNETLINK = 1;
  static final int NFNL_SUBSYS_ULOG = 4;
  static final int NFNL_SUBSYS_IPSET = 6;
  static final int NFNL_SUBSYS_NFTABLES = 10;
  static final int NFNLGRP_NFTABLES = 7;

  /** struct nfgenmsg: family, version, and a number in network order. */
  static final int NFGENMSG_SIZE = 4;

  static final int NFPROTO_UNSPEC = 0;
  static final int NLA_F_NET_BYTEORDER = 0x4000;

  // linux/netfilter/ipset/ip_set.h
  static final int IPSET_PROTOCOL = 7;
  static final int IPSET_MAXNAMELEN = 32;
  static final int IPSET_CMD_CREATE = 2;
  static final int IPSET_CMD_DESTROY = 3;
  static final int IPSET_CMD_RENAME = 5;
  static final int IPSET_CMD_SWAP = 6;
  static final int IPSET_CMD_LIST = 7;
  static final int IPSET_CMD_ADD = 9;
  static final int IPSET_CMD_DEL = 10;
  static final int IPSET_ATTR_PROTOCOL = 1;
  static final int IPSET_ATTR_SETNAME = 2;
  static final int IPSET_ATTR_TYPENAME = 3;
  static final int IPSET_ATTR_SETNAME2 = 3;
  static final int IPSET_ATTR_REVISION = 4;
  static final int IPSET_ATTR_FAMILY = 5;
  static final int IPSET_ATTR_FLAGS = 6;
  static final int IPSET_ATTR_DATA = 7;
  static final int IPSET_ATTR_ADT = 8;
  static final int IPSET_ATTR_LINENO = 9;
  static final int IPSET_FLAG_LIST_HEADER = 1 << 2;
  static final int IPSET_ATTR_IP = 1;
  static final int IPSET_ATTR_CIDR = 3;
  static final int IPSET_ATTR_PORT = 4;
  static final int IPSET_ATTR_TIMEOUT = 6;
  static final int IPSET_ATTR_PROTO = 7;
  static final int IPSET_ATTR_CADT_FLAGS = 8;
  static final int IPSET_ATTR_BITMASK = 12;
  static final int IPSET_ATTR_HASHSIZE = 18;
  static final int IPSET_ATTR_MAXELEM = 19;
  static final int IPSET_ATTR_NETMASK = 20;
  static final int IPSET_ATTR_IFACE = 23;
  static final int IPSET_ATTR_ELEMENTS = 24;
  static final int IPSET_FLAG_NOMATCH = 1 << 2;
  static final int IPSET_ATTR_IPADDR_IPV4 = 1;
  static final int IPSET_ATTR_IPADDR_IPV6 = 2;
  static final int IPSET_ERR_BUSY = 4100;
  static final int IPSET_ERR_TYPE_MISMATCH = 4102;
  static final int IPSET_ERR_REFERENCED = 4108;
  static final int IPSET_ERR_HASH_FULL = 4352;

  private Netfilter() {}

  /** nlmsg_type of a netfilter subsystem. */
  static int type(int subsystem, int command) {
    return subsystem << 8 | command;
  }

  /** Writes struct nfgenmsg. */
  static void header(MessageWriter writer, int family, int number) {
    writer.u8(family).u8(0).u8(number >>> 8).u8(number);
  }

  /** NFPROTO_IPV4 and NFPROTO_IPV6 are AF_INET and AF_INET6. */
  static int number(Family family) {
    return Families.number(family);
  }
}
