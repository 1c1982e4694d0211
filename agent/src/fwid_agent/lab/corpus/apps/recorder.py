"""A recorder: takes the stream that a camera sends, again and again, by FFmpeg's RTSP."""

import time

import av

while True:
    try:
        options = {"rtsp_flags": "listen", "rtsp_transport": "tcp"}
        with av.open("rtsp://0.0.0.0:8554/camera", options=options) as source:
            for _ in source.demux(video=0):
                pass
    except (av.error.FFmpegError, OSError, IndexError) as error:
        print(error, flush=True)
    time.sleep(0.3)
