/* flood CARD RATE SECONDS: send UDP packets of 270 bytes at a steady rate by sendmmsg(2), and print
 * how many were taken by the kernel. Only for cards in a network namespace made for it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define IP_BYTES 270
#define AT_ONCE 64

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    int sender = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(argv[1])};
    if (sender < 0 || !to.sll_ifindex) {
        perror(argv[1]);
        return 1;
    }
    unsigned char frame[ETH_HLEN + IP_BYTES] = {
        2, 0, 0, 0, 0, 1, 0x0a, 0, 0, 0, 0, 2, 8, 0,       /* Ethernet: IPv4 */
        0x45, 0, IP_BYTES >> 8, IP_BYTES & 255, 0, 0, 0, 0, /* no options, one piece */
        64, 17, 0, 0, 10, 77, 0, 16, 10, 77, 0, 1,          /* UDP */
        0x9c, 0x40, 0x16, 0x33, (IP_BYTES - 20) >> 8, (IP_BYTES - 20) & 255, 0, 0,
    };
    struct iovec piece = {frame, sizeof frame};
    struct mmsghdr messages[AT_ONCE];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < AT_ONCE; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof to,
                                              .msg_iov = &piece, .msg_iovlen = 1};
    double begin = now_s(), end = begin + seconds;
    long long sent = 0;
    for (double now = begin; now < end; now = now_s()) {
        long long due = (long long)((now - begin) * rate) - sent;
        if (due <= 0) {
            struct timespec pause = {0, 200000};
            nanosleep(&pause, NULL);
            continue;
        }
        int taken = sendmmsg(sender, messages, due < AT_ONCE ? due : AT_ONCE, 0);
        if (taken > 0) sent += taken;
    }
    printf("%lld\n", sent);
    return 0;
}
