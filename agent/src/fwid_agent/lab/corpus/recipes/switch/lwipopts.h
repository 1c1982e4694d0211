/* lwIP as a small switch has it: no operating system, a window of a few segments. */
#ifndef CORPUS_LWIPOPTS_H
#define CORPUS_LWIPOPTS_H
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define MEM_ALIGNMENT 8
#define MEM_SIZE 65536
#define MEMP_NUM_SYS_TIMEOUT 24
#define MEMP_NUM_UDP_PCB 8
#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_IPV6_AUTOCONFIG 1
#define IPV6_FRAG_COPYHEADER 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_IGMP 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_NUM_NETIF_CLIENT_DATA 1
#define LWIP_MDNS_RESPONDER 1
#define LWIP_ALTCP 0
#define MDNS_MAX_SERVICES 2
#define SNTP_SERVER_DNS 1
#define SNTP_STARTUP_DELAY 0
#define SNTP_UPDATE_DELAY 15000
#define SNTP_SET_SYSTEM_TIME(seconds) ((void)(seconds))
#define TCP_MSS 1440
#ifndef TCP_WND
#define TCP_WND (4 * TCP_MSS)
#endif
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#endif
