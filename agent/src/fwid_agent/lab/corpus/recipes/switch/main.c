/* A switch on lwIP's own TCP/IP: DHCP, DNS, mDNS, SNTP and MQTT are all lwIP's.
 *
 * Frames go by a packet socket; the kernel's own TCP/IP has no address on that card. */
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lwip/apps/mdns.h"
#include "lwip/apps/mqtt.h"
#include "lwip/apps/sntp.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

enum { LONGEST = 1600, EVERY_PACKET = 0x0300, OUTGOING = 4, KEEP_ALIVE_S = 10 };

static int card;
static struct netif net;
static mqtt_client_t *client;
static ip_addr_t broker;
static int on;
static u32_t every_ms;
static const char *topic;

u32_t sys_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static err_t send_frame(struct netif *to, struct pbuf *packet)
{
    char frame[LONGEST];
    (void)to;
    pbuf_copy_partial(packet, frame, packet->tot_len, 0);
    return send(card, frame, packet->tot_len, 0) < 0 ? ERR_IF : ERR_OK;
}

static void receive_frames(void)
{
    char frame[LONGEST];
    struct sockaddr_ll from;
    socklen_t length = sizeof from;
    ssize_t size = recvfrom(card, frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    struct pbuf *packet;
    if (size <= 0 || from.sll_pkttype == OUTGOING)
        return;
    packet = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_RAM);
    if (packet == NULL)
        return;
    pbuf_take(packet, frame, (u16_t)size);
    if (net.input(packet, &net) != ERR_OK)
        pbuf_free(packet);
}

static err_t bring_up(struct netif *it)
{
    it->name[0] = 'e';
    it->name[1] = 'n';
    it->output = etharp_output;
    it->output_ip6 = ethip6_output;
    it->linkoutput = send_frame;
    it->mtu = 1500;
    it->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP |
                NETIF_FLAG_MLD6 | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static void published(void *arg, err_t result)
{
    (void)arg;
    (void)result;
}

static void connected(mqtt_client_t *it, void *arg, mqtt_connection_status_t status)
{
    (void)arg;
    if (status == MQTT_CONNECT_ACCEPTED)
        mqtt_subscribe(it, "home/switch/set", 1, published, NULL);
}

static void incoming(void *arg, const u8_t *data, u16_t length, u8_t flags)
{
    (void)arg;
    (void)data;
    (void)length;
    (void)flags;
    on = !on;
}

static void arriving(void *arg, const char *name, u32_t length)
{
    (void)arg;
    (void)name;
    (void)length;
}

static void tell(void *arg)
{
    char state[64];
    (void)arg;
    sys_timeout(every_ms, tell, NULL);
    if (!mqtt_client_is_connected(client)) {
        struct mqtt_connect_client_info_t who = {0};
        who.client_id = "switch";
        who.keep_alive = KEEP_ALIVE_S;
        mqtt_set_inpub_callback(client, arriving, incoming, NULL);
        mqtt_client_connect(client, &broker, 1883, connected, NULL, &who);
        return;
    }
    snprintf(state, sizeof state, "{\"on\":%s}", on ? "true" : "false");
    mqtt_publish(client, topic, state, (u16_t)strlen(state), 1, 0, published, NULL);
}

static void found(const char *name, const ip_addr_t *address, void *arg)
{
    (void)name;
    (void)arg;
    if (address == NULL)
        return;
    broker = *address;
    sys_untimeout(tell, NULL);
    tell(NULL);
}

static void look(void *arg)
{
    (void)arg;
    if (dns_gethostbyname("hub.home", &broker, found, NULL) == ERR_OK)
        found("hub.home", &broker, NULL);
    else
        sys_timeout(2000, look, NULL);
}

static void start_up(void *arg)
{
    (void)arg;
    if (!dhcp_supplied_address(&net)) {
        sys_timeout(200, start_up, NULL);
        return;
    }
    sntp_setoperatingmode(SNTP_OPMODE_POLL);
    sntp_setservername(0, "time.cloud.example");
    sntp_init();
    mdns_resp_add_netif(&net, "switch"
#if LWIP_VERSION_MAJOR == 2 && LWIP_VERSION_MINOR == 1
                        , 120
#endif
    );
    mdns_resp_add_service(&net, "switch", "_switch", DNSSD_PROTO_TCP, 80
#if LWIP_VERSION_MAJOR == 2 && LWIP_VERSION_MINOR == 1
                          , 120
#endif
                          , NULL, NULL);
    sys_untimeout(look, NULL);
    look(NULL);
}

int main(void)
{
    struct ifreq request = {0};
    struct sockaddr_ll local = {0};
    struct pollfd waiting;
    card = socket(AF_PACKET, SOCK_RAW, EVERY_PACKET);
    waiting.fd = card;
    waiting.events = POLLIN;
    strcpy(request.ifr_name, "eth0");
    if (card < 0 || ioctl(card, SIOCGIFINDEX, &request) < 0)
        return perror("eth0"), 1;
    local.sll_family = AF_PACKET;
    local.sll_protocol = EVERY_PACKET;
    local.sll_ifindex = request.ifr_ifindex;
    if (bind(card, (struct sockaddr *)&local, sizeof local) < 0)
        return perror("bind"), 1;
    ioctl(card, SIOCGIFHWADDR, &request);
    srand((unsigned)time(NULL));
    every_ms = (u32_t)(1000 * atof(getenv("EVERY")));
    topic = getenv("TOPIC");
    lwip_init();
    netif_add_noaddr(&net, NULL, bring_up, ethernet_input);
    memcpy(net.hwaddr, request.ifr_hwaddr.sa_data, 6);
    net.hwaddr_len = 6;
    netif_set_hostname(&net, getenv("NAME"));
    netif_create_ip6_linklocal_address(&net, 1);
    netif_set_default(&net);
    netif_set_up(&net);
    mdns_resp_init();
    client = mqtt_client_new();
    dhcp_start(&net);
    sys_timeout(200, start_up, NULL);
    for (;;) {
        poll(&waiting, 1, 20);
        receive_frames();
        sys_check_timeouts();
    }
}
