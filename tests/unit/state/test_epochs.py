"""Where a partition is read from, for every hole between what is stored, what Kafka has and what was committed."""

from __future__ import annotations

from stream.state.epochs import Log, Resume, Stored, resume

NOTHING = Stored(None, None, None, None, 0)
HELD = Stored(next_offset=100, clock=7_000, closed=5_000, topic_id="topic-a", incarnation=2)


def log(*, start: int = 0, end: int = 900, topic_id: str | None = "topic-a", committed: int | None = 100) -> Log:
    return Log(start, end, topic_id, committed)


def test_a_plain_restart_goes_on_where_the_state_ends_whatever_was_committed() -> None:
    for committed in (None, 0, 90, 100, 400):
        assert resume(HELD, log(committed=committed)) == Resume(100, 2, 7_000, 5_000)


def test_a_partition_read_to_its_end_goes_on_there() -> None:
    assert resume(HELD, log(end=100)) == Resume(100, 2, 7_000, 5_000)


def test_a_new_partition_is_read_from_the_logs_start() -> None:
    assert resume(NOTHING, log(committed=None)) == Resume(0, 0, None, None)
    assert resume(NOTHING, log(start=40, committed=None)) == Resume(40, 0, None, None)


def test_retention_that_passed_the_stored_offset_is_a_counted_loss() -> None:
    found = resume(HELD, log(start=250))
    assert found == Resume(250, 2, 7_000, 5_000, lost=150, happened="retention")


def test_retention_up_to_the_stored_offset_loses_nothing() -> None:
    assert resume(HELD, log(start=100)) == Resume(100, 2, 7_000, 5_000)


def test_retention_that_emptied_the_log_is_a_loss_and_no_new_topic() -> None:
    assert resume(HELD, log(start=500, end=500)).happened == "retention"


def test_a_topic_created_anew_is_a_new_incarnation_from_its_start_with_no_clock() -> None:
    found = resume(HELD, log(topic_id="topic-b", committed=None))
    assert found == Resume(0, 3, None, None, happened="recreated")


def test_a_topic_created_anew_is_known_by_its_shorter_log_where_the_broker_tells_no_id() -> None:
    assert resume(HELD, log(end=99, topic_id=None)) == Resume(0, 3, None, None, happened="recreated")
    assert resume(HELD, log(end=100, topic_id=None)).happened is None


def test_a_shorter_log_under_the_same_id_was_counted_already() -> None:
    """Records that were counted are gone (an unclean election): what is left must not be counted again."""
    assert resume(HELD, log(end=99)) == Resume(99, 2, 7_000, 5_000, happened="truncated")


def test_an_id_that_was_never_stored_proves_nothing() -> None:
    unnamed = Stored(100, 7_000, None, None, 0)
    assert resume(unnamed, log(topic_id="topic-b")).happened is None


def test_an_emptied_redis_is_seen_by_what_was_committed_and_read_again_from_the_start() -> None:
    assert resume(NOTHING, log(committed=100)) == Resume(0, 0, None, None, happened="emptied")
    assert resume(NOTHING, log(start=60, committed=100)) == Resume(60, 0, None, None, happened="emptied")


def test_an_emptied_redis_is_seen_where_retention_has_passed_what_was_committed_and_the_unread_are_lost() -> None:
    assert resume(NOTHING, log(start=600, end=900, committed=500)) == Resume(
        600, 0, None, None, lost=100, happened="emptied"
    )


def test_a_commit_at_the_logs_start_is_no_sign_of_lost_state() -> None:
    assert resume(NOTHING, log(committed=0)).happened is None
    assert resume(NOTHING, log(start=60, committed=60)).happened is None


def test_a_fail_over_that_rolled_state_back_reads_again_from_the_older_offset() -> None:
    """The stored offset is older than what was committed; counts and offset agree, so reading goes back."""
    assert resume(HELD, log(committed=640)) == Resume(100, 2, 7_000, 5_000)


def test_offset_zero_is_stored_state_and_not_the_absence_of_it() -> None:
    assert resume(Stored(0, None, None, "topic-a", 0), log(committed=50)) == Resume(0, 0, None, None)
