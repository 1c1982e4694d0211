# The server of the loudspeakers; plays what is written to /share/music.
[ -p /share/music ] || mkfifo /share/music
exec snapserver --stream.source='pipe:///share/music?name=home&mode=read&sampleformat=16000:16:1&codec=pcm' \
    --http.enabled=false --server.datadir=/tmp
