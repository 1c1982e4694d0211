# systemd's client of NTP, without systemd: as its own user it leaves the machine's clock alone.
mkdir -p /run/systemd/timesync /var/lib/systemd/timesync
printf '[Time]\nNTP=%s\nPollIntervalMinSec=16\n' "$TIME" >/etc/systemd/timesyncd.conf
chown -R systemd-timesync:systemd-timesync /run/systemd/timesync /var/lib/systemd/timesync
exec chroot --userspec=systemd-timesync / /lib/systemd/systemd-timesyncd
