# A network player: gmrender-resurrect without a sound card, and without the desktop's settings.
mkdir -p /root/.cache
export GIO_MODULE_DIR=/tmp/none
exec gmediarender -f "$ROOM" -p 49494 -u 00000000-0000-4000-8000-000000000021 \
    --gstout-audiosink=fakesink
