# A media server: minidlna with one piece of music.
mkdir -p /tmp/media /tmp/db
sh /fwid/music.sh 12 >/tmp/media/song.wav
cat >/tmp/minidlna.conf <<CONF
media_dir=/tmp/media
db_dir=/tmp/db
log_dir=/tmp/db
friendly_name=$ROOM
notify_interval=$EVERY
network_interface=eth0
inotify=no
CONF
exec minidlnad -S -f /tmp/minidlna.conf -P /tmp/minidlna.pid
