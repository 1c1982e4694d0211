"""A camera: sends a small picture stream to a recorder by FFmpeg's RTSP, through PyAV."""

import os
import time

import av
import numpy as np

_WIDTH, _HEIGHT = 160, 120
_RATE = int(os.environ["RATE"])
_TARGET = f"rtsp://{os.environ['HUB']}:8554/camera"


def stream() -> None:
    """Send pictures until the recorder goes."""
    with av.open(_TARGET, "w", format="rtsp", options={"rtsp_transport": "tcp"}) as output:
        video = output.add_stream("mpeg4", rate=_RATE)
        video.width, video.height, video.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        video.bit_rate = 60_000
        rng = np.random.default_rng(1)
        began_s, count = time.monotonic(), 0
        while True:
            picture = np.full((_HEIGHT, _WIDTH, 3), 90, np.uint8)
            picture[:20, :40] = rng.integers(0, 255, (20, 40, 3), np.uint8)
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                output.mux(packet)
            count += 1
            time.sleep(max(began_s + count / _RATE - time.monotonic(), 0))


while True:
    try:
        stream()
    except (av.error.FFmpegError, OSError) as error:
        print(error, flush=True)
    time.sleep(1)
