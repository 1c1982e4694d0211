# music.sh SECONDS: prints a WAV file of so much noise, 8 kHz, 8 bit.
bytes=$(($1 * 8000))
little() { printf "\\$(printf %o $(($1 & 255)))\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 >> 16 & 255)))\\$(printf %o $(($1 >> 24 & 255)))"; }
printf RIFF
little $((bytes + 36))
printf 'WAVEfmt '
little 16
printf '\001\000\001\000'
little 8000
little 8000
printf '\001\000\010\000data'
little $bytes
head -c $bytes /dev/urandom
