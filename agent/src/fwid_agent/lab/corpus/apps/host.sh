# Read by every shell of the corpus before its first line.

# again SECONDS COMMAND...: a command from time to time, as an appliance's own timer does.
again() {
    pause=$1
    shift
    while :; do
        "$@"
        sleep "$pause"
    done
}

# network CLIENT: gets an address and keeps it; returns when it is there. A program with a DHCP
# client of its own needs none.
network() {
    case $1 in
    none) return ;;
    udhcpc) busybox udhcpc -f -R -S -i eth0 -s /fwid/leased -x "hostname:$NAME" -t 30 -T 1 & ;;
    # Names stay as the home has laid them out.
    dhcpcd) dhcpcd -q -B -C resolv.conf -h "$NAME" eth0 & ;;
    dhclient)
        mkdir -p /var/lib/dhcp
        rm -f /var/lib/dhcp/leases
        dhclient -d -q -sf /fwid/leased.dhclient -lf /var/lib/dhcp/leases -pf /run/dhclient.pid eth0 &
        ;;
    esac
    echo $! >/run/network.pid
    until busybox ip -4 addr show dev eth0 | grep -q 'inet 10'; do sleep .2; done
}

# renew CLIENT: asks for an address as if the network were a new one.
renew() {
    [ -e /run/network.pid ] || return 0
    kill "$(cat /run/network.pid)"
    sleep .5
    busybox ip addr flush dev eth0 scope global
    network "$1"
}
