# SPDX-License-Identifier: Apache-2.0
"""postprocess -- last step of the sample AI workflow: formats what infer produced for a reader.

POST /postprocess (or /) answers {"result": <formatted text>, "postprocessed": true}. `app` is the ASGI
application; run directly, the file listens on $PORT (9003).
"""

import os
import threading

from fastapi import FastAPI, Request, Response

app = FastAPI(title="postprocess")
totals = {"requests": 0}
totals_lock = threading.Lock()


def format_output(body) -> str:
    """`body["output"]`, or any text, as one sentence: capitalised, single spaces, a full stop."""
    output = body.get("output", "") if isinstance(body, dict) else body
    words = " ".join(str(output).split()).lower()
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".!?" else ".")


@app.post("/")
@app.post("/postprocess")
async def postprocess(request: Request):
    try:
        body = await request.json()
    except ValueError:
        return Response('{"detail":"the body is not JSON"}', 400, media_type="application/json")
    with totals_lock:
        totals["requests"] += 1
    return {"result": format_output(body), "postprocessed": True}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/metrics")
async def metrics():
    with totals_lock:
        text = (
            "# HELP postprocess_requests_total Texts formatted.\n"
            "# TYPE postprocess_requests_total counter\n"
            f"postprocess_requests_total {totals['requests']}\n"
        )
    return Response(text, media_type="text/plain; version=0.0.4")


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "9003")))
