-- A store as format 3 kept it.
BEGIN TRANSACTION;
CREATE TABLE articles (
	outlet TEXT NOT NULL, 
	article_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	content_hash TEXT NOT NULL, 
	first_seen_at TEXT NOT NULL, 
	url TEXT NOT NULL, 
	title TEXT NOT NULL, 
	published_at TEXT, 
	order_key TEXT NOT NULL, 
	section_id TEXT NOT NULL, 
	PRIMARY KEY (outlet, article_id)
)
 WITHOUT ROWID

;
INSERT INTO "articles" VALUES('epochtimes','n14865001',1,'57de5ccf9a430f56cc5a1d5414df6feed8e96eda60f7bee3b5931d56cb81d6d7','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865001.htm','第14865001号新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865002',2,'422ff94b7d8a29a3a18d332729e23280e8b1fc4b1d258f4d3249c28ec22dc653','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865002.htm','第14865002号新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865003',2,'47f711662904b9efaeb2995b82a4da2ba1f3176a99c11890e0866ee8f99551b6','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865003.htm','新桥通车','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865004',1,'6d32abfc65652ca999595424bae05a49ea9bfad2baa5cd7b7a5244d869c450d6','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865004.htm','第14865004号新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865007',1,'97a709216e7782fa92ab58e471f3c9fb8d9a0906ebf6a3a21555d5ca38d14ea5','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865007.htm','还没有位置的新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865011',1,'b25652baa672f9e8ebcbb36b171527b1885325b0fb74435d7f933c32eb48b3a8','2026-11-21T01:00:06+00:00','https://www.epochtimes.com/gb/21/3/4/n14865011.htm','又一座桥','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
CREATE TABLE entries (
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	list_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	member TEXT NOT NULL, 
	PRIMARY KEY (outlet, kind, list_id, seq)
)
 WITHOUT ROWID

;
INSERT INTO "entries" VALUES('epochtimes','all','',1,'n14865001');
INSERT INTO "entries" VALUES('epochtimes','section','nsc413',1,'n14865001');
INSERT INTO "entries" VALUES('epochtimes','tag','溪流',1,'n14865001');
INSERT INTO "entries" VALUES('epochtimes','all','',2,'n14865002');
INSERT INTO "entries" VALUES('epochtimes','section','nsc413',2,'n14865002');
INSERT INTO "entries" VALUES('epochtimes','all','',3,'n14865003');
INSERT INTO "entries" VALUES('epochtimes','section','nsc413',3,'n14865003');
INSERT INTO "entries" VALUES('epochtimes','all','',4,'n14865004');
INSERT INTO "entries" VALUES('epochtimes','section','nsc413',4,'n14865004');
INSERT INTO "entries" VALUES('epochtimes','all','',5,'n14865007');
INSERT INTO "entries" VALUES('epochtimes','all','',6,'n14865011');
INSERT INTO "entries" VALUES('epochtimes','section','nsc413',5,'n14865011');
INSERT INTO "entries" VALUES('epochtimes','tags','',1,'溪流');
CREATE TABLE files (
	root TEXT NOT NULL, 
	path TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	PRIMARY KEY (root, path)
)
 WITHOUT ROWID

;
INSERT INTO "files" VALUES('/srv/mirror/output','README.md','0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO "files" VALUES('/srv/mirror/output','epochtimes/2021/03/04/n14865011.md','0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE gone (outlet TEXT NOT NULL, article_id TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL,
    withdrawn_at TEXT, PRIMARY KEY (outlet, article_id)) WITHOUT ROWID;
INSERT INTO "gone" VALUES('epochtimes','n14865002','','2026-11-21T01:00:07+00:00','2026-11-21T01:00:07+00:00');
INSERT INTO "gone" VALUES('epochtimes','n14865004','20261121T010000Z','2026-11-21T01:00:08+00:00',NULL);
CREATE TABLE links (
	outlet TEXT NOT NULL, 
	article_id TEXT NOT NULL, 
	to_outlet TEXT NOT NULL, 
	to_kind TEXT NOT NULL, 
	to_id TEXT NOT NULL, 
	PRIMARY KEY (outlet, article_id, to_outlet, to_kind, to_id)
)
 WITHOUT ROWID

;
INSERT INTO "links" VALUES('epochtimes','n14865003','','picture','https://i.epochtimes.com/assets/uploads/2021/03/id1-600x400.jpg');
INSERT INTO "links" VALUES('epochtimes','n14865003','','picture','https://i.epochtimes.com/assets/uploads/2021/03/id2-600x400.jpg');
INSERT INTO "links" VALUES('epochtimes','n14865011','','picture','https://i.epochtimes.com/assets/uploads/2021/03/id2-600x400.jpg');
INSERT INTO "links" VALUES('epochtimes','n14865003','epochtimes','article','n14865001');
INSERT INTO "links" VALUES('epochtimes','n14865001','epochtimes','article','n14865002');
INSERT INTO "links" VALUES('epochtimes','n14865004','epochtimes','article','n14865005');
CREATE TABLE listings (
	number INTEGER NOT NULL, 
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	list_id TEXT NOT NULL, 
	article_id TEXT NOT NULL, 
	run TEXT, 
	at TEXT NOT NULL, 
	record TEXT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (outlet, kind, list_id, article_id)
);
INSERT INTO "listings" VALUES(1,'epochtimes','section','nsc413','n14865001','20261120T010000Z','2026-11-22T01:37:17','{"outlet": "epochtimes", "list_kind": "section", "list_id": "nsc413", "list_name": "名nsc413", "article_id": "n14865001", "url": "https://www.epochtimes.com/gb/21/3/4/n14865001.htm", "title": "溪上新桥", "page": 1, "position": 1, "seen_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "listings" VALUES(2,'epochtimes','section','nsc413','n14865002','20261120T010000Z','2026-11-22T01:37:17','{"outlet": "epochtimes", "list_kind": "section", "list_id": "nsc413", "list_name": "名nsc413", "article_id": "n14865002", "url": "https://www.epochtimes.com/gb/21/3/4/n14865002.htm", "title": "溪上新桥", "page": 1, "position": 1, "seen_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "listings" VALUES(3,'epochtimes','section','nsc413','n14865003','20261120T010000Z','2026-11-22T01:37:17','{"outlet": "epochtimes", "list_kind": "section", "list_id": "nsc413", "list_name": "名nsc413", "article_id": "n14865003", "url": "https://www.epochtimes.com/gb/21/3/4/n14865003.htm", "title": "溪上新桥", "page": 1, "position": 1, "seen_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "listings" VALUES(4,'epochtimes','section','nsc413','n14865004','20261120T010000Z','2026-11-22T01:37:17','{"outlet": "epochtimes", "list_kind": "section", "list_id": "nsc413", "list_name": "名nsc413", "article_id": "n14865004", "url": "https://www.epochtimes.com/gb/21/3/4/n14865004.htm", "title": "溪上新桥", "page": 1, "position": 1, "seen_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "listings" VALUES(5,'epochtimes','tag','溪流','n14865001','20261120T010000Z','2026-11-22T01:37:17','{"outlet": "epochtimes", "list_kind": "tag", "list_id": "溪流", "list_name": "名溪流", "article_id": "n14865001", "url": "https://www.epochtimes.com/gb/21/3/4/n14865001.htm", "title": "溪上新桥", "page": 1, "position": 1, "seen_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "listings" VALUES(6,'epochtimes','section','nsc413','n14865009','20261120T010000Z','2026-11-22T01:37:17','{"outlet": "epochtimes", "list_kind": "section", "list_id": "nsc413", "list_name": "名nsc413", "article_id": "n14865009", "url": "https://www.epochtimes.com/gb/21/3/4/n14865009.htm", "title": "溪上新桥", "page": 1, "position": 1, "seen_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "listings" VALUES(7,'epochtimes','section','nsc413','n14865011','20261121T010000Z','2026-11-21T01:00:04','{"outlet": "epochtimes", "list_kind": "section", "list_id": "nsc413", "list_name": "名nsc413", "article_id": "n14865011", "url": "https://www.epochtimes.com/gb/21/3/4/n14865011.htm", "title": "又一座桥", "page": 1, "position": 1, "seen_at": "2026-11-21T01:00:04+00:00"}');
CREATE TABLE lists (
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	list_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	size INTEGER DEFAULT '0' NOT NULL, volume INTEGER DEFAULT '1' NOT NULL, 
	PRIMARY KEY (outlet, kind, list_id)
)
 WITHOUT ROWID

;
INSERT INTO "lists" VALUES('epochtimes','all','','',6,1);
INSERT INTO "lists" VALUES('epochtimes','section','nsc412','美国新闻',0,1);
INSERT INTO "lists" VALUES('epochtimes','section','nsc413','名nsc413',5,1);
INSERT INTO "lists" VALUES('epochtimes','section','nsc418','科技',0,1);
INSERT INTO "lists" VALUES('epochtimes','tag','溪流','名溪流',1,1);
INSERT INTO "lists" VALUES('epochtimes','tags','','',1,1);
CREATE TABLE pictures (url TEXT NOT NULL, outlet TEXT NOT NULL, tries INTEGER DEFAULT '0' NOT NULL, asset TEXT,
    width INTEGER, height INTEGER, cause TEXT, at TEXT, PRIMARY KEY (url)) WITHOUT ROWID;
INSERT INTO "pictures" VALUES('https://i.epochtimes.com/assets/uploads/2021/03/id1-600x400.jpg','epochtimes',0,'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a',800,533,NULL,'2026-11-22T01:37:17+00:00');
INSERT INTO "pictures" VALUES('https://i.epochtimes.com/assets/uploads/2021/03/id2-600x400.jpg','epochtimes',5,NULL,NULL,NULL,'HTTP 404','2026-11-22T01:37:17+00:00');
CREATE TABLE published (repository TEXT NOT NULL, root TEXT NOT NULL, tip TEXT NOT NULL, PRIMARY KEY (repository))
    WITHOUT ROWID;
INSERT INTO "published" VALUES('1.git','/srv/mirror/output','2222222222222222222222222222222222222222');
INSERT INTO "published" VALUES('2.git','/srv/mirror/output','3333333333333333333333333333333333333333');
CREATE TABLE runs (
	outlet TEXT NOT NULL, 
	run TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT, 
	verdict TEXT, 
	report TEXT, looked_until TEXT, 
	PRIMARY KEY (outlet, run)
)
 WITHOUT ROWID

;
INSERT INTO "runs" VALUES('epochtimes','20261120T010000Z','2026-11-20T01:00:00+00:00','2026-11-20T01:05:00+00:00','ok','{"articles/new": 4}',NULL);
INSERT INTO "runs" VALUES('epochtimes','20261120T020000Z','2026-11-20T02:00:00+00:00',NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('epochtimes','20261121T010000Z','2026-11-21T01:00:00+00:00','2026-11-21T01:05:00+00:00','degraded','{"findings": [], "counts": {"articles/new": 1}}','2026-11-21T01:00:00+00:00');
CREATE TABLE stale (
	stamp INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	id TEXT NOT NULL, 
	part INTEGER NOT NULL, 
	UNIQUE (kind, outlet, id, part)
);
INSERT INTO "stale" VALUES(20,'epochtimes','article','n14865011',0);
INSERT INTO "stale" VALUES(21,'epochtimes','all','',1);
INSERT INTO "stale" VALUES(22,'epochtimes','section','nsc413',1);
INSERT INTO "stale" VALUES(23,'epochtimes','article','n14865003',0);
CREATE TABLE trees (
	root TEXT NOT NULL, 
	look TEXT NOT NULL, 
	PRIMARY KEY (root)
)
 WITHOUT ROWID

;
INSERT INTO "trees" VALUES('/srv/mirror/output','look of version 1');
CREATE TABLE unplaced (
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	list_id TEXT NOT NULL, 
	article_id TEXT NOT NULL, 
	PRIMARY KEY (outlet, kind, list_id, article_id)
)
 WITHOUT ROWID

;
CREATE TABLE unpublished (root TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (root, path)) WITHOUT ROWID;
INSERT INTO "unpublished" VALUES('/srv/mirror/output','README.md');
CREATE TABLE validators (url TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, next_url TEXT NOT NULL,
    PRIMARY KEY (url)) WITHOUT ROWID;
INSERT INTO "validators" VALUES('https://www.epochtimes.com/gb/21/3/4/n14865003.htm','"3"','Thu, 04 Mar 2021 08:00:00 GMT','');
INSERT INTO "validators" VALUES('https://www.epochtimes.com/gb/nsc413.htm','"l"','','https://www.epochtimes.com/gb/nsc413_2.htm');
CREATE TABLE versions (
	number INTEGER NOT NULL, 
	outlet TEXT NOT NULL, 
	article_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	run TEXT, 
	at TEXT NOT NULL, 
	record TEXT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (outlet, article_id, revision)
);
INSERT INTO "versions" VALUES(1,'epochtimes','n14865001',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865001", "url": "https://www.epochtimes.com/gb/21/3/4/n14865001.htm", "language": "zh-Hans", "title": "第14865001号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865001座桥在山谷里落成。</p>", "text": "桥", "content_hash": "57de5ccf9a430f56cc5a1d5414df6feed8e96eda60f7bee3b5931d56cb81d6d7", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00", "withdrawn_at": null}');
INSERT INTO "versions" VALUES(2,'epochtimes','n14865002',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865002", "url": "https://www.epochtimes.com/gb/21/3/4/n14865002.htm", "language": "zh-Hans", "title": "第14865002号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865002座桥在山谷里落成。</p>", "text": "桥", "content_hash": "509e660f61cc7a31affad83b9d6ff1d526c98516d0817b0f38a7794991317ad0", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00", "withdrawn_at": null}');
INSERT INTO "versions" VALUES(3,'epochtimes','n14865003',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865003", "url": "https://www.epochtimes.com/gb/21/3/4/n14865003.htm", "language": "zh-Hans", "title": "第14865003号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865003座桥在山谷里落成。</p>", "text": "桥", "content_hash": "c446161808aebdf03df7df6ff8ff75c728b298bfbe5f808b05f88a0905b0a460", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00", "withdrawn_at": null}');
INSERT INTO "versions" VALUES(4,'epochtimes','n14865004',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865004", "url": "https://www.epochtimes.com/gb/21/3/4/n14865004.htm", "language": "zh-Hans", "title": "第14865004号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865004座桥在山谷里落成。</p>", "text": "桥", "content_hash": "6d32abfc65652ca999595424bae05a49ea9bfad2baa5cd7b7a5244d869c450d6", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00", "withdrawn_at": null}');
INSERT INTO "versions" VALUES(5,'epochtimes','n14865002',2,'20261121T010000Z','2026-11-21T01:00:07','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865002", "url": "https://www.epochtimes.com/gb/21/3/4/n14865002.htm", "language": "zh-Hans", "title": "第14865002号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>改过的桥。</p>", "text": "桥", "content_hash": "422ff94b7d8a29a3a18d332729e23280e8b1fc4b1d258f4d3249c28ec22dc653", "revision": 2, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-20T02:00:00+00:00", "withdrawn_at": "2026-11-21T01:00:07+00:00"}');
INSERT INTO "versions" VALUES(6,'epochtimes','n14865007',1,'20261120T020000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865007", "url": "https://www.epochtimes.com/gb/21/3/4/n14865007.htm", "language": "zh-Hans", "title": "还没有位置的新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865007座桥在山谷里落成。</p>", "text": "桥", "content_hash": "97a709216e7782fa92ab58e471f3c9fb8d9a0906ebf6a3a21555d5ca38d14ea5", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00", "withdrawn_at": null}');
INSERT INTO "versions" VALUES(7,'epochtimes','n14865003',2,'20261121T010000Z','2026-11-21T01:00:05','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865003", "url": "https://www.epochtimes.com/gb/21/3/4/n14865003.htm", "language": "zh-Hans", "title": "新桥通车", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": {"url": "https://i.epochtimes.com/assets/uploads/2021/03/id1-600x400.jpg", "alt": "桥", "caption": "通车典礼"}, "images": [{"url": "https://i.epochtimes.com/assets/uploads/2021/03/id2-600x400.jpg", "alt": "桥", "caption": "新桥"}], "embeds": [], "body_html": "<p>第14865003座桥在山谷里落成，通车了。</p><figure><img src=\"https://i.epochtimes.com/assets/uploads/2021/03/id2-600x400.jpg\" alt=\"桥\"><figcaption>新桥</figcaption></figure><p><a href=\"https://www.epochtimes.com/gb/21/3/4/n14865001.htm\">前文</a></p>", "text": "第14865003座桥在山谷里落成，通车了。\n\n新桥\n\n前文", "content_hash": "47f711662904b9efaeb2995b82a4da2ba1f3176a99c11890e0866ee8f99551b6", "revision": 2, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-21T01:00:05+00:00", "withdrawn_at": null}');
INSERT INTO "versions" VALUES(8,'epochtimes','n14865011',1,'20261121T010000Z','2026-11-21T01:00:06','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865011", "url": "https://www.epochtimes.com/gb/21/3/4/n14865011.htm", "language": "zh-Hans", "title": "又一座桥", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": {"url": "https://i.epochtimes.com/assets/uploads/2021/03/id2-600x400.jpg", "alt": "桥", "caption": ""}, "images": [], "embeds": [], "body_html": "<p>第14865003座桥在山谷里落成。</p>", "text": "桥", "content_hash": "b25652baa672f9e8ebcbb36b171527b1885325b0fb74435d7f933c32eb48b3a8", "revision": 1, "first_seen_at": "2026-11-21T01:00:06+00:00", "fetched_at": "2026-11-21T01:00:06+00:00", "withdrawn_at": null}');
CREATE TABLE volumes (number INTEGER NOT NULL, first_day TEXT NOT NULL, PRIMARY KEY (number));
INSERT INTO "volumes" VALUES(2,'2026-11-23');
CREATE TABLE walks (outlet TEXT NOT NULL, kind TEXT NOT NULL, list_id TEXT NOT NULL, window TEXT NOT NULL,
    next_url TEXT NOT NULL, page INTEGER NOT NULL, PRIMARY KEY (outlet, kind, list_id, window)) WITHOUT ROWID;
INSERT INTO "walks" VALUES('epochtimes','section','nsc412','','',1);
INSERT INTO "walks" VALUES('epochtimes','section','nsc418','','https://www.epochtimes.com/gb/nsc418_3.htm',3);
CREATE TABLE wanted (
	outlet TEXT NOT NULL, 
	article_id TEXT NOT NULL, 
	url TEXT NOT NULL, 
	tries INTEGER DEFAULT '0' NOT NULL, 
	cause TEXT, 
	at TEXT, 
	PRIMARY KEY (outlet, article_id)
)
 WITHOUT ROWID

;
INSERT INTO "wanted" VALUES('epochtimes','n14865004','https://www.epochtimes.com/gb/21/3/4/n14865004.htm',0,NULL,NULL);
INSERT INTO "wanted" VALUES('epochtimes','n14865009','https://www.epochtimes.com/gb/21/3/4/n14865009.htm',1,'HTTP 500','2026-11-20T01:00:05+00:00');
CREATE INDEX entries_of_member ON entries (outlet, member);
CREATE INDEX links_to ON links (to_outlet, to_kind, to_id);
CREATE INDEX listings_of_run ON listings (outlet, run);
CREATE INDEX listings_of_article ON listings (outlet, article_id);
CREATE INDEX runs_unfinished ON runs (outlet, run) WHERE finished_at IS NULL;
CREATE INDEX versions_of_run ON versions (outlet, run);
CREATE INDEX wanted_by_tries ON wanted (outlet, tries, article_id);
CREATE INDEX articles_by_order ON articles (outlet, order_key);
CREATE INDEX pictures_missing ON pictures (outlet, tries) WHERE asset IS NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('stale',23);
COMMIT;
PRAGMA application_id = 1835627122;
PRAGMA user_version = 3;
