# SPDX-License-Identifier: Apache-2.0
"""preprocess -- first step of the sample AI workflow: takes a JSON body and wraps it for inference.

POST /preprocess (or /) answers {"input": <body>, "preprocessed": true}. GET /health and GET /metrics
serve operators. `app` is the ASGI application; run directly, the file listens on $PORT (9001).
"""

import os
import threading

from fastapi import FastAPI, Request, Response

app = FastAPI(title="preprocess")
requests_total: dict[int, int] = {}
requests_lock = threading.Lock()


@app.middleware("http")
async def count(request: Request, call_next):
    response = await call_next(request)
    with requests_lock:
        requests_total[response.status_code] = requests_total.get(response.status_code, 0) + 1
    # Tells which replica answered, so that the spread over them can be watched from outside.
    response.headers["X-Served-By"] = os.environ.get("SERVED_BY", f"preprocess-{os.getpid()}")
    return response


@app.post("/")
@app.post("/preprocess")
async def preprocess(request: Request):
    try:
        body = await request.json()
    except ValueError:
        return Response('{"detail":"the body is not JSON"}', 400, media_type="application/json")
    return {"input": body, "preprocessed": True}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/metrics")
async def metrics():
    lines = ["# HELP http_requests_total Requests answered, by status.", "# TYPE http_requests_total counter"]
    with requests_lock:
        lines += [
            f'http_requests_total{{service="preprocess",status="{status}"}} {total}'
            for status, total in sorted(requests_total.items())
        ]
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "9001")))
