// Addresses and control messages as the system has them and as Swift has them, for the files beside this one.

#ifndef HEARTH_ADDRESSES_H
#define HEARTH_ADDRESSES_H

#include "CSockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

// Room for one IP_PKTINFO or IPV6_PKTINFO message, and one number of UDP_GRO or UDP_SEGMENT.
#define CONTROL_SIZE (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)))

typedef union {
    struct cmsghdr alignment;
    uint8_t bytes[CONTROL_SIZE];
} control_buffer;

static inline uint64_t half(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static inline void put_half(uint8_t *bytes, uint64_t value) {
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (uint8_t)value;
}

static inline void from_socket(const struct sockaddr_in6 *name, hearth_address *address) {
    if (name->sin6_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)name;
        address->family = 4;
        address->high = 0;
        address->low = ntohl(four->sin_addr.s_addr);
        address->port = ntohs(four->sin_port);
    } else {
        address->family = 6;
        address->high = half(name->sin6_addr.s6_addr);
        address->low = half(name->sin6_addr.s6_addr + 8);
        address->port = ntohs(name->sin6_port);
    }
}

static inline socklen_t to_socket(const hearth_address *address, struct sockaddr_in6 *name) {
    if (address->family == 4) {
        struct sockaddr_in *four = (struct sockaddr_in *)name;
        memset(four, 0, sizeof *four);
        four->sin_family = AF_INET;
        four->sin_addr.s_addr = htonl((uint32_t)address->low);
        four->sin_port = htons(address->port);
        return sizeof *four;
    }
    memset(name, 0, sizeof *name);
    name->sin6_family = AF_INET6;
    put_half(name->sin6_addr.s6_addr, address->high);
    put_half(name->sin6_addr.s6_addr + 8, address->low);
    name->sin6_port = htons(address->port);
    return sizeof *name;
}

/// Has a datagram leave from one of our addresses; without `local`, from whichever the route takes.
static inline void write_local(struct msghdr *header, control_buffer *control, const hearth_address *local) {
    header->msg_control = NULL;
    header->msg_controllen = 0;
    if (local->family == 0) return;
    memset(control, 0, sizeof *control);
    header->msg_control = control;
    header->msg_controllen = sizeof *control;
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    if (local->family == 4) {
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl((uint32_t)local->low)};
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = {0};
        put_half(info.ipi6_addr.s6_addr, local->high);
        put_half(info.ipi6_addr.s6_addr + 8, local->low);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

#endif
