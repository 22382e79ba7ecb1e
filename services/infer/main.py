# SPDX-License-Identifier: Apache-2.0
"""infer -- second step of the sample AI workflow: a stand-in for a model that echoes its input's words.

POST /infer (or /) answers {"output": <text>, "tokens": <count>}. With `"stream": true` in the body it
sends one server-sent event per token, then `data: [DONE]`. `app` is the ASGI application; run
directly, the file listens on $PORT (9002).
"""

import asyncio
import json
import os
import threading

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

# Seconds between two streamed tokens, as a model would take them.
TOKEN_SECONDS = float(os.environ.get("TOKEN_SECONDS", "0.02"))

app = FastAPI(title="infer")
totals = {"requests": 0, "tokens": 0}
totals_lock = threading.Lock()


def find_text(body) -> str:
    """The text of a request: {"text"}, {"prompt"}, or what preprocess made of one of them."""
    while isinstance(body, dict):
        for name in ("text", "prompt", "input"):
            if name in body:
                body = body[name]
                break
        else:
            return json.dumps(body)
    return body if isinstance(body, str) else json.dumps(body)


async def stream_tokens(tokens: list[str]):
    for index, token in enumerate(tokens):
        yield f"data: {json.dumps({'index': index, 'token': token})}\n\n"
        await asyncio.sleep(TOKEN_SECONDS)
    yield "data: [DONE]\n\n"


@app.post("/")
@app.post("/infer")
async def infer(request: Request):
    try:
        body = await request.json()
    except ValueError:
        return Response('{"detail":"the body is not JSON"}', 400, media_type="application/json")
    tokens = [word.upper() for word in find_text(body).split()]
    with totals_lock:
        totals["requests"] += 1
        totals["tokens"] += len(tokens)
    if isinstance(body, dict) and body.get("stream") is True:
        return StreamingResponse(
            stream_tokens(tokens), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
        )
    return {"output": " ".join(tokens), "tokens": len(tokens)}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/metrics")
async def metrics():
    with totals_lock:
        text = (
            "# HELP infer_requests_total Inference requests.\n"
            "# TYPE infer_requests_total counter\n"
            f"infer_requests_total {totals['requests']}\n"
            "# HELP infer_tokens_total Tokens produced.\n"
            "# TYPE infer_tokens_total counter\n"
            f"infer_tokens_total {totals['tokens']}\n"
        )
    return Response(text, media_type="text/plain; version=0.0.4")


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "9002")))
