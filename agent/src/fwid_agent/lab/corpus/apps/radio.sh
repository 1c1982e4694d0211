# A radio: mpd without a sound card, which plays what it is told to.
mkdir -p /tmp/mpd
cat >/tmp/mpd.conf <<CONF
music_directory "/tmp/mpd"
state_file "/tmp/mpd/state"
bind_to_address "0.0.0.0"
port "6600"
zeroconf_enabled "no"
audio_output {
    type "null"
    name "$ROOM"
}
CONF
exec mpd --no-daemon /tmp/mpd.conf
