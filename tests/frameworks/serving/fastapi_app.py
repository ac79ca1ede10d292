"""Two models in FastAPI, counted by prometheus-fastapi-instrumentator: fastapi_app.py PORT"""

from __future__ import annotations

import sys
import time

import uvicorn
from fastapi import FastAPI
from model import answer, sleep_seconds
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel

app = FastAPI()
Instrumentator().instrument(app).expose(app)


class Question(BaseModel):
    how: str


def predict(variant: str, question: Question) -> dict[str, str]:
    time.sleep(sleep_seconds(variant, question.how))
    return answer(variant, question.how)


# A route each: of a path with {variant} the label would be the template, one for both.
@app.post("/models/baseline/predict")
def baseline(question: Question) -> dict[str, str]:
    return predict("baseline", question)


@app.post("/models/enhanced/predict")
def enhanced(question: Question) -> dict[str, str]:
    return predict("enhanced", question)


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
