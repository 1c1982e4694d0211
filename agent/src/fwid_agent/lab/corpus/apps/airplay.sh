# An AirPlay loudspeaker: shairport-sync, announced by avahi.
. /fwid/announced.sh
printf 'general = { name = "%s"; output_backend = "stdout"; };\n' "$ROOM" >/tmp/shairport.conf
exec shairport-sync -c /tmp/shairport.conf -o stdout >/dev/null
