"""read_clock: the outlets' traps, the order of evidence, and text that is no time."""

from __future__ import annotations

import dataclasses
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror_crawler.clock import FIRST_YEAR, LAST_YEAR, Clock, ClockEvidence, read_clock


def outcome(**evidence: Any) -> tuple[str | None, str, bool]:
    """Publication, source, disputed."""
    clock = read_clock(ClockEvidence(**evidence))
    return clock.published_at, clock.published_source, clock.disputed


EPOCHTIMES = {
    "printed": ("更新 2026-10-08 3:29 AM",),
    "attribute": "2026-10-08T11:05:12+08:00",
    "ld_published": "2026-10-08T03:29:39Z",
    "ld_modified": "2026-10-08T11:05:12Z",
}
NTDTV = {
    "printed": ("北京时间：2026-10-07 10:35",),
    "update_label_means_update": True,
    "ld_published": "2026-10-07T10:35:43Z",
    "ld_modified": "2026-10-07T15:00:01Z",
}


class TestOutlets:
    def test_the_2026_page_of_epochtimes(self) -> None:
        assert read_clock(ClockEvidence(**EPOCHTIMES)) == Clock(  # type: ignore[arg-type]
            published_at="2026-10-08T03:29:39+08:00",
            modified_at="2026-10-08T11:05:12+08:00",
            published_source="clock",
            disputed=False,
        )

    def test_the_2026_page_of_ntdtv(self) -> None:
        assert read_clock(ClockEvidence(**NTDTV)) == Clock(  # type: ignore[arg-type]
            published_at="2026-10-07T10:35:43+08:00",
            modified_at="2026-10-07T15:00:01+08:00",
            published_source="clock",
            disputed=False,
        )

    def test_a_page_with_genuine_utc(self) -> None:
        clock = read_clock(
            ClockEvidence(
                printed=("更新 2026-10-08 3:29 AM",),
                attribute="2026-10-08T11:05:12+08:00",
                ld_published="2026-10-07T19:29:39Z",
                ld_modified="2026-10-08T03:05:12Z",
            )
        )
        assert clock.published_at == "2026-10-08T03:29:39+08:00"
        assert clock.modified_at == "2026-10-08T11:05:12+08:00"
        assert not clock.disputed

    def test_genuine_utc_is_recognised_by_the_printed_clock_alone(self) -> None:
        evidence = ClockEvidence(
            printed=("北京時間：2026-10-08 03:29",),
            ld_published="2026-10-07T19:29:39Z",
            ld_modified="2026-10-07T20:00:00Z",
        )
        assert read_clock(evidence).published_at == "2026-10-08T03:29:39+08:00"
        assert read_clock(evidence).modified_at == "2026-10-08T04:00:00+08:00"

    def test_the_page_of_2015_to_2019_without_json_ld(self) -> None:
        clock = read_clock(ClockEvidence(printed=("更新: 2016-05-01 12:05 AM",), attribute="2016-05-01T09:00:00+08:00"))
        assert clock == Clock(
            published_at="2016-05-01T00:05:00+08:00",
            modified_at="2016-05-01T09:00:00+08:00",
            published_source="clock",
            disputed=False,
        )


class TestPrintedClock:
    @pytest.mark.parametrize(
        ("text", "published"),
        [
            pytest.param("更新 2026-10-08 3:29 AM", "2026-10-08T03:29:00", id="morning"),
            pytest.param("更新 2026-10-08 3:29 PM", "2026-10-08T15:29:00", id="afternoon"),
            pytest.param("更新: 2016-05-01 12:05 AM", "2016-05-01T00:05:00", id="midnight"),
            pytest.param("更新: 2016-05-01 12:05 PM", "2016-05-01T12:05:00", id="noon"),
            pytest.param("更新 2016-05-01 11:59 pm", "2016-05-01T23:59:00", id="lower-case half"),
            pytest.param("更新 2016-05-01 15:20 PM", "2016-05-01T15:20:00", id="24 hours and a half"),
            pytest.param("2021-11-05 10:35", "2021-11-05T10:35:00", id="bare"),
            pytest.param("北京时间: 2026-10-07 10:35:07", "2026-10-07T10:35:07", id="with seconds"),
            pytest.param("2012年3月4日 7:05", "2012-03-04T07:05:00", id="Chinese date"),
            pytest.param("２０２１－１１－０５ １０：３５", "2021-11-05T10:35:00", id="full-width"),
            pytest.param("发布\n\t  2021-11-05\n  10:35 \n", "2021-11-05T10:35:00", id="white space"),
            pytest.param("\n " * 300 + "2021-11-05 10:35", "2021-11-05T10:35:00", id="much white space"),
        ],
    )
    def test_forms(self, text: str, published: str) -> None:
        assert outcome(printed=(text,)) == (published + "+08:00", "clock", False)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("人气 2026", id="no date"),
            pytest.param("更新 2026-13-08 3:29 AM", id="month 13"),
            pytest.param("更新 2026-02-30 3:29 AM", id="30 February"),
            pytest.param("更新 2026-10-08 25:00", id="hour 25"),
            pytest.param("更新 2026-10-08 10:61", id="minute 61"),
            pytest.param("更新 2026-10-08 15:20 AM", id="15 AM"),
            pytest.param("更新 1999-10-08 3:29 AM", id="before the outlet"),
            pytest.param("更新 2100-10-08 3:29 AM", id="far future"),
            pytest.param("0000-00-00 00:00", id="zeros"),
            pytest.param("12026-10-08 3:29 AM", id="year of five digits"),
            pytest.param("9" * 200_000, id="200 KB of digits"),
            pytest.param("2026-10-08" * 20_000, id="200 KB of dates"),
            pytest.param("２" * 50_000 + "2026-10-08 10:00", id="beyond what is read"),
        ],
    )
    def test_what_is_no_clock_is_ignored(self, text: str) -> None:
        assert outcome(printed=(text,)) == (None, "none", False)

    def test_a_date_without_time_gives_only_the_day(self) -> None:
        assert outcome(printed=("2012年03月04日",)) == ("2012-03-04T00:00:00+08:00", "dateline", False)

    def test_the_printed_day_goes_before_the_dateline(self) -> None:
        assert outcome(printed=("2012年03月04日",), dateline=date(2012, 3, 2))[0] == "2012-03-04T00:00:00+08:00"

    def test_of_several_clocks_the_one_that_metadata_confirms_is_taken(self) -> None:
        # Read as genuine UTC, JSON-LD would confirm the first one.
        printed = ("2026-10-07 18:35 / 2026-10-07 10:35",)
        assert outcome(printed=printed, ld_published="2026-10-07T10:35:43Z") == (
            "2026-10-07T10:35:43+08:00",
            "clock",
            False,
        )


class TestUpdateClock:
    @pytest.mark.parametrize("label", ["更新时间：", "更新時間: "])
    def test_a_label_that_means_update_gives_no_publication(self, label: str) -> None:
        clock = read_clock(ClockEvidence(printed=(label + "2021-11-05 12:40",), update_label_means_update=True))
        assert clock == Clock(
            published_at=None, modified_at="2021-11-05T12:40:00+08:00", published_source="none", disputed=False
        )

    @pytest.mark.parametrize(
        "printed",
        [
            pytest.param(("北京时间：2021-11-05 10:35", "更新时间：2021-11-05 12:40"), id="two elements"),
            pytest.param(("北京时间：2021-11-05 10:35 更新时间：2021-11-05 12:40",), id="one element"),
            pytest.param(("更新时间：2021-11-05 12:40 北京时间：2021-11-05 10:35",), id="update first"),
        ],
    )
    def test_both_clocks_printed(self, printed: tuple[str, ...]) -> None:
        clock = read_clock(ClockEvidence(printed=printed, update_label_means_update=True))
        assert (clock.published_at, clock.modified_at) == ("2021-11-05T10:35:00+08:00", "2021-11-05T12:40:00+08:00")

    def test_the_update_clock_tells_the_zone_of_json_ld(self) -> None:
        evidence = ClockEvidence(
            printed=("更新时间：2021-11-05 12:40",),
            update_label_means_update=True,
            ld_published="2021-11-05T02:35:43Z",
            ld_modified="2021-11-05T04:40:10Z",
        )
        assert read_clock(evidence) == Clock(
            published_at="2021-11-05T10:35:43+08:00",
            modified_at="2021-11-05T12:40:10+08:00",
            published_source="metadata",
            disputed=False,
        )

    def test_the_last_of_several_update_clocks(self) -> None:
        evidence = ClockEvidence(
            printed=("更新 2021-11-05 12:40 更新 2021-11-06 08:00", "更新 2021-11-05 13:00"),
            update_label_means_update=True,
        )
        assert read_clock(evidence).modified_at == "2021-11-06T08:00:00+08:00"

    def test_the_day_of_an_update_is_no_publication(self) -> None:
        evidence = ClockEvidence(printed=("更新时间：2021年11月5日",), update_label_means_update=True)
        assert read_clock(evidence) == Clock(
            published_at=None, modified_at=None, published_source="none", disputed=False
        )

    def test_an_unlabelled_update_clock_is_known_by_the_attribute(self) -> None:
        assert outcome(
            printed=("更新 2026-10-08 11:05 AM",),
            attribute="2026-10-08T11:05:12+08:00",
            ld_published="2026-10-08T03:29:39Z",
            ld_modified="2026-10-08T11:05:12Z",
        ) == ("2026-10-08T03:29:39+08:00", "metadata", False)

    def test_an_unlabelled_update_clock_is_known_by_json_ld(self) -> None:
        assert outcome(
            printed=("2026-10-08 11:05",), ld_published="2026-10-08T03:29:39Z", ld_modified="2026-10-08T11:05:12Z"
        ) == ("2026-10-08T03:29:39+08:00", "metadata", False)


class TestDispute:
    def test_printed_stands_against_json_ld(self) -> None:
        assert outcome(**EPOCHTIMES | {"printed": ("更新 2026-10-09 5:00 PM",)}) == (
            "2026-10-09T17:00:00+08:00",
            "clock",
            True,
        )

    def test_printed_stands_against_json_ld_of_unknown_zone(self) -> None:
        assert outcome(printed=("2026-10-09 17:00",), ld_published="2026-10-08T03:29:39Z") == (
            "2026-10-09T17:00:00+08:00",
            "clock",
            True,
        )

    def test_attribute_equal_to_the_printed_clock_proves_nothing_without_a_known_zone(self) -> None:
        assert outcome(
            printed=("2026-10-09 17:00",),
            attribute="2026-10-09T17:00:00+08:00",
            ld_published="2026-10-08T20:29:39Z",
            dateline=date(2026, 10, 9),
        ) == ("2026-10-09T17:00:00+08:00", "clock", True)

    def test_one_confirmation_is_enough(self) -> None:
        assert outcome(**NTDTV | {"meta_published": "2026-10-06T00:00:00+08:00"})[2] is False

    def test_metadata_that_disagrees_with_itself(self) -> None:
        assert outcome(ld_published="2026-10-08T03:29:39Z", meta_published="2026-10-06T00:00:00+08:00") == (
            "2026-10-06T00:00:00+08:00",
            "metadata",
            True,
        )

    def test_a_stated_offset_goes_before_a_resolved_one(self) -> None:
        assert outcome(
            attribute="2026-10-08T12:00:00+08:00",
            ld_modified="2026-10-08T12:00:00Z",
            ld_published="2026-10-08T03:29:39Z",
            meta_published="2026-10-06T00:00:00+08:00",
        ) == ("2026-10-06T00:00:00+08:00", "metadata", True)

    def test_two_doubtful_times_that_disagree(self) -> None:
        assert outcome(
            attribute="2026-10-08T12:00:00+08:00",
            ld_modified="2026-10-08T12:00:00Z",
            ld_published="2026-10-08T03:29:39Z",
            meta_published="2026-10-08T04:00:00Z",
        ) == ("2026-10-08T03:29:39+08:00", "metadata", True)


class TestWithoutPrintedClock:
    def test_meta_with_an_offset(self) -> None:
        assert outcome(meta_published="2019-03-02T10:11:12+08:00") == ("2019-03-02T10:11:12+08:00", "metadata", False)

    def test_meta_tells_the_zone_of_json_ld(self) -> None:
        evidence = {"ld_published": "2019-03-02T02:11:12Z", "meta_published": "2019-03-02T10:11:00+08:00"}
        assert outcome(**evidence) == ("2019-03-02T10:11:12+08:00", "metadata", False)

    @pytest.mark.parametrize(
        ("modified", "published"),
        [
            pytest.param("2019-03-02T12:00:00Z", "2019-03-02T02:11:12", id="false Z"),
            pytest.param("2019-03-02T04:00:00Z", "2019-03-02T10:11:12", id="genuine UTC"),
        ],
    )
    def test_the_attribute_tells_the_zone_of_json_ld(self, modified: str, published: str) -> None:
        assert outcome(
            ld_published="2019-03-02T02:11:12Z", ld_modified=modified, attribute="2019-03-02T12:00:00+08:00"
        ) == (published + "+08:00", "metadata", False)

    @pytest.mark.parametrize(
        ("dateline", "published", "disputed"),
        [
            pytest.param(date(2019, 3, 2), "2019-03-02T20:11:12", False, id="the false Z falls on the day"),
            pytest.param(date(2019, 3, 3), "2019-03-03T04:11:12", False, id="genuine UTC falls on the day"),
            pytest.param(date(2019, 3, 5), "2019-03-02T20:11:12", True, id="neither"),
            pytest.param(None, "2019-03-02T20:11:12", True, id="no dateline"),
        ],
    )
    def test_the_dateline_tells_the_zone_of_json_ld(self, dateline: date, published: str, disputed: bool) -> None:
        assert outcome(ld_published="2019-03-02T20:11:12Z", dateline=dateline) == (
            published + "+08:00",
            "metadata",
            disputed,
        )

    def test_a_day_of_both_readings_decides_nothing(self) -> None:
        assert outcome(ld_published="2019-03-02T02:11:12Z", dateline=date(2019, 3, 2))[2] is True

    def test_the_dateline_tells_the_zone_of_the_change_too(self) -> None:
        evidence = ClockEvidence(
            ld_published="2019-03-02T20:11:12Z", ld_modified="2019-03-02T21:00:00Z", dateline=date(2019, 3, 3)
        )
        assert read_clock(evidence).modified_at == "2019-03-03T05:00:00+08:00"

    def test_doubtful_meta_serves_when_json_ld_is_missing(self) -> None:
        assert outcome(meta_published="2019-03-02T20:11:12Z") == ("2019-03-02T20:11:12+08:00", "metadata", True)

    def test_the_dateline_alone(self) -> None:
        assert outcome(dateline=date(2006, 8, 1)) == ("2006-08-01T00:00:00+08:00", "dateline", False)

    @pytest.mark.parametrize("year", [1999, 2100])
    def test_a_dateline_of_another_time_is_ignored(self, year: int) -> None:
        assert outcome(dateline=date(year, 8, 1)) == (None, "none", False)

    def test_the_modified_time_is_never_published(self) -> None:
        evidence = ClockEvidence(
            attribute="2019-03-02T12:00:00+08:00",
            ld_modified="2019-03-02T12:00:00Z",
            meta_modified="2019-03-02T12:00:00+08:00",
        )
        assert read_clock(evidence) == Clock(
            published_at=None, modified_at="2019-03-02T12:00:00+08:00", published_source="none", disputed=False
        )


class TestModified:
    @pytest.mark.parametrize(
        ("evidence", "modified"),
        [
            pytest.param({}, None, id="none"),
            pytest.param(
                {"attribute": "2019-03-02T12:00:00+08:00", "ld_modified": "2019-03-03T09:00:00Z"},
                "2019-03-02T12:00:00+08:00",
                id="attribute first",
            ),
            pytest.param({"ld_modified": "2019-03-03T09:00:00Z"}, "2019-03-03T09:00:00+08:00", id="assumed false Z"),
            pytest.param(
                {"ld_modified": "2019-03-03T09:00:00Z", "meta_modified": "2019-03-04T10:00:00+08:00"},
                "2019-03-04T10:00:00+08:00",
                id="a known zone before a doubtful one",
            ),
            pytest.param(
                {"ld_modified": "2019-03-03T09:00:30Z", "meta_modified": "2019-03-03T17:00:00+08:00"},
                "2019-03-03T17:00:30+08:00",
                id="meta tells the zone",
            ),
            pytest.param({"attribute": "2019-03-02T12:00:00"}, "2019-03-02T12:00:00+08:00", id="no zone"),
        ],
    )
    def test_order(self, evidence: dict[str, str], modified: str | None) -> None:
        assert read_clock(ClockEvidence(**evidence)).modified_at == modified  # type: ignore[arg-type]


class TestIso:
    @pytest.mark.parametrize(
        ("text", "published"),
        [
            pytest.param("2019-03-02T10:11:12+08:00", "2019-03-02T10:11:12", id="usual"),
            pytest.param("2019-03-02 10:11+0800", "2019-03-02T10:11:00", id="loose"),
            pytest.param(" 2019-03-02T10:11:12.345678+08:00 ", "2019-03-02T10:11:12", id="fraction"),
            pytest.param("2019-03-02T10:11:12-05:00", "2019-03-02T23:11:12", id="US offset"),
            pytest.param("2019-03-02T02:11:12+00:00", "2019-03-02T10:11:12", id="a stated zero offset"),
        ],
    )
    def test_offsets_are_taken_as_they_say(self, text: str, published: str) -> None:
        assert outcome(ld_published=text) == (published + "+08:00", "metadata", False)

    @pytest.mark.parametrize("text", ["2019-03-02T10:11:12Z", "2019-03-02t10:11:12z", "2019-03-02 10:11:12"])
    def test_no_offset_is_the_wall_clock_of_the_outlet(self, text: str) -> None:
        assert outcome(ld_published=text, printed=("2019-03-02 10:11",)) == (
            "2019-03-02T10:11:12+08:00",
            "clock",
            False,
        )

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("2019-03-02", id="no time of day"),
            pytest.param("2019-13-02T10:11:12+08:00", id="month 13"),
            pytest.param("2019-03-02T24:11:12+08:00", id="hour 24"),
            pytest.param("2019-03-02T10:11:12+99:00", id="offset 99"),
            pytest.param("2019-03-02T10:11:12+8", id="offset 8"),
            pytest.param("0001-01-01T00:00:00+23:00", id="before year 1"),
            pytest.param("9999-12-31T23:59:59-23:00", id="after year 9999"),
            pytest.param("1970-01-01T00:00:00+00:00", id="Unix zero"),
            pytest.param("2100-01-01T00:00:00+08:00", id="far future"),
            pytest.param("yesterday", id="garbage"),
            pytest.param("1" * 200_000, id="200 KB of digits"),
        ],
    )
    def test_what_is_no_time_is_ignored(self, text: str) -> None:
        assert outcome(ld_published=text, meta_published=text) == (None, "none", False)
        assert read_clock(ClockEvidence(attribute=text, ld_modified=text)).modified_at is None


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1))  # noqa: DTZ001 - only their text is used
ISO_TEXTS = st.builds(
    lambda moment, zone: moment.strftime("%Y-%m-%dT%H:%M:%S") + zone,
    MOMENTS,
    st.sampled_from(["", "Z", "+08:00", "-0500", "+99:99", "+14:00"]),
)
PRINTED_TEXTS = st.builds(
    lambda label, moment, form: label + moment.strftime(form),
    st.sampled_from(["", "更新 ", "北京时间：", "更新時間："]),
    MOMENTS,
    st.sampled_from(["%Y-%m-%d %I:%M %p", "%Y年%m月%d日", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S PM", "%Y/%d/%m"]),
)
ANY_TEXTS = st.one_of(ISO_TEXTS, PRINTED_TEXTS, st.text(max_size=40))
EVIDENCE = st.builds(
    ClockEvidence,
    printed=st.lists(ANY_TEXTS, max_size=3).map(tuple),
    update_label_means_update=st.booleans(),
    attribute=ANY_TEXTS,
    ld_published=ANY_TEXTS,
    ld_modified=ANY_TEXTS,
    meta_published=ANY_TEXTS,
    meta_modified=ANY_TEXTS,
    dateline=st.none() | st.dates(),
)


class TestAnyEvidence:
    @pytest.mark.untraced
    @settings(max_examples=200, deadline=None)
    @given(EVIDENCE)
    def test_it_never_raises_and_times_have_the_offset(self, evidence: ClockEvidence) -> None:
        clock = read_clock(evidence)
        for text in (clock.published_at, clock.modified_at):
            if text is not None:
                moment = datetime.fromisoformat(text)
                assert moment.utcoffset() == timedelta(hours=8)
                assert moment.isoformat(timespec="seconds") == text
                assert FIRST_YEAR <= moment.year <= LAST_YEAR + 1  # a genuine UTC clock may step over the end
        assert (clock.published_at is None) == (clock.published_source == "none")
        if clock.published_source in ("none", "dateline"):
            assert not clock.disputed

    @pytest.mark.untraced
    @settings(max_examples=200, deadline=None)
    @given(EVIDENCE)
    def test_modification_evidence_alone_never_publishes(self, evidence: ClockEvidence) -> None:
        alone = dataclasses.replace(evidence, printed=(), ld_published="", meta_published="", dateline=None)
        assert read_clock(alone).published_at is None

    def test_every_minute_of_a_day_is_read_back(self) -> None:
        day = datetime.fromisoformat("2026-10-08T00:00:00+08:00")
        for minute in range(0, 24 * 60, 7):
            published = day + timedelta(minutes=minute, seconds=random.Random(minute).randrange(60))
            changed = published + timedelta(hours=5, minutes=3)
            for outlet_form, genuine in (("%Y-%m-%d %I:%M %p", True), ("%Y-%m-%d %H:%M", False)):
                ld = timedelta(hours=8 if genuine else 0)
                evidence = ClockEvidence(
                    printed=("更新 " + published.strftime(outlet_form),),
                    ld_published=(published - ld).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    ld_modified=(changed - ld).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    attribute=changed.isoformat(),
                )
                assert read_clock(evidence) == Clock(
                    published_at=published.isoformat(),
                    modified_at=changed.isoformat(),
                    published_source="clock",
                    disputed=False,
                )
