# Starts avahi with its bus; what is in /etc/avahi/services is announced.
avahi_again() {
    rm -rf /run/avahi-daemon
    avahi-daemon --no-drop-root --no-chroot --no-rlimits &
    until [ -e /run/avahi-daemon/pid ]; do sleep .1; done
}
rm -rf /run/dbus  # of a start before
mkdir -p /run/dbus /var/lib/dbus
dbus-uuidgen --ensure=/etc/machine-id
dbus-daemon --system --nofork --nopidfile &
until [ -S /run/dbus/system_bus_socket ]; do sleep .1; done
avahi_again
