"""The guide's app: Flask and Flask-SQLAlchemy, its pool recycled after 55 seconds."""

import os

from flask import Flask, jsonify, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
    "pool_recycle": 55,
    "pool_size": int(os.environ["DB_POOL_SIZE"]) // int(os.environ["WORKERS"]),
    "max_overflow": 0,
}
db = SQLAlchemy(app)


class Marathon(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100))
    city = db.Column(db.String(50))
    inception_year = db.Column(db.Integer)

    def as_dict(self):
        return {
            "id": self.id,
            "name": self.name,
            "city": self.city,
            "inception_year": self.inception_year,
        }


@app.get("/marathon/")
def find_all():
    marathons = Marathon.query.order_by(Marathon.id).all()
    return jsonify({"marathon_list": [marathon.as_dict() for marathon in marathons]})


@app.get("/marathon/<int:id>")
def find_one(id):
    return jsonify(db.get_or_404(Marathon, id).as_dict())


@app.post("/marathon/")
def create():
    sent = request.get_json()
    marathon = Marathon(
        name=sent.get("name"), city=sent.get("city"), inception_year=sent.get("inception_year")
    )
    db.session.add(marathon)
    db.session.commit()
    return jsonify({"id": marathon.id}), 201
