-- A store as format 1 kept it.
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
INSERT INTO "articles" VALUES('epochtimes','n14865003',1,'c446161808aebdf03df7df6ff8ff75c728b298bfbe5f808b05f88a0905b0a460','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865003.htm','第14865003号新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865004',1,'6d32abfc65652ca999595424bae05a49ea9bfad2baa5cd7b7a5244d869c450d6','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865004.htm','第14865004号新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
INSERT INTO "articles" VALUES('epochtimes','n14865007',1,'97a709216e7782fa92ab58e471f3c9fb8d9a0906ebf6a3a21555d5ca38d14ea5','2026-11-22T01:37:17+00:00','https://www.epochtimes.com/gb/21/3/4/n14865007.htm','还没有位置的新闻','2021-03-04T08:00:00+08:00','2021-03-04T00:00:00+00:00','nsc413');
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
INSERT INTO "links" VALUES('epochtimes','n14865001','epochtimes','article','n14865002');
INSERT INTO "links" VALUES('epochtimes','n14865003','epochtimes','article','n14865004');
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
CREATE TABLE lists (
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	list_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	size INTEGER DEFAULT '0' NOT NULL, 
	walking INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (outlet, kind, list_id)
)
 WITHOUT ROWID

;
INSERT INTO "lists" VALUES('epochtimes','all','','',4,0);
INSERT INTO "lists" VALUES('epochtimes','section','nsc412','美国新闻',0,1);
INSERT INTO "lists" VALUES('epochtimes','section','nsc413','名nsc413',4,0);
INSERT INTO "lists" VALUES('epochtimes','tag','溪流','名溪流',1,0);
INSERT INTO "lists" VALUES('epochtimes','tags','','',1,0);
CREATE TABLE runs (
	outlet TEXT NOT NULL, 
	run TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT, 
	verdict TEXT, 
	report TEXT, 
	PRIMARY KEY (outlet, run)
)
 WITHOUT ROWID

;
INSERT INTO "runs" VALUES('epochtimes','20261120T010000Z','2026-11-20T01:00:00+00:00','2026-11-20T01:05:00+00:00','ok','{"articles/new": 4}');
INSERT INTO "runs" VALUES('epochtimes','20261120T020000Z','2026-11-20T02:00:00+00:00',NULL,NULL,NULL);
CREATE TABLE stale (
	stamp INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	outlet TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	id TEXT NOT NULL, 
	part INTEGER NOT NULL, 
	UNIQUE (kind, outlet, id, part)
);
INSERT INTO "stale" VALUES(14,'epochtimes','article','n14865002',0);
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
INSERT INTO "unplaced" VALUES('epochtimes','all','','n14865007');
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
INSERT INTO "versions" VALUES(1,'epochtimes','n14865001',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865001", "url": "https://www.epochtimes.com/gb/21/3/4/n14865001.htm", "language": "zh-Hans", "title": "第14865001号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865001座桥在山谷里落成。</p>", "text": "桥", "content_hash": "57de5ccf9a430f56cc5a1d5414df6feed8e96eda60f7bee3b5931d56cb81d6d7", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "versions" VALUES(2,'epochtimes','n14865002',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865002", "url": "https://www.epochtimes.com/gb/21/3/4/n14865002.htm", "language": "zh-Hans", "title": "第14865002号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865002座桥在山谷里落成。</p>", "text": "桥", "content_hash": "509e660f61cc7a31affad83b9d6ff1d526c98516d0817b0f38a7794991317ad0", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "versions" VALUES(3,'epochtimes','n14865003',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865003", "url": "https://www.epochtimes.com/gb/21/3/4/n14865003.htm", "language": "zh-Hans", "title": "第14865003号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865003座桥在山谷里落成。</p>", "text": "桥", "content_hash": "c446161808aebdf03df7df6ff8ff75c728b298bfbe5f808b05f88a0905b0a460", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "versions" VALUES(4,'epochtimes','n14865004',1,'20261120T010000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865004", "url": "https://www.epochtimes.com/gb/21/3/4/n14865004.htm", "language": "zh-Hans", "title": "第14865004号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865004座桥在山谷里落成。</p>", "text": "桥", "content_hash": "6d32abfc65652ca999595424bae05a49ea9bfad2baa5cd7b7a5244d869c450d6", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00"}');
INSERT INTO "versions" VALUES(5,'epochtimes','n14865002',2,'20261120T020000Z','2026-11-20T02:00:00','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865002", "url": "https://www.epochtimes.com/gb/21/3/4/n14865002.htm", "language": "zh-Hans", "title": "第14865002号新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>改过的桥。</p>", "text": "桥", "content_hash": "422ff94b7d8a29a3a18d332729e23280e8b1fc4b1d258f4d3249c28ec22dc653", "revision": 2, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-20T02:00:00+00:00"}');
INSERT INTO "versions" VALUES(6,'epochtimes','n14865007',1,'20261120T020000Z','2026-11-22T01:37:17','{"schema": 1, "outlet": "epochtimes", "article_id": "n14865007", "url": "https://www.epochtimes.com/gb/21/3/4/n14865007.htm", "language": "zh-Hans", "title": "还没有位置的新闻", "authors": [], "editor": null, "published_at": "2021-03-04T08:00:00+08:00", "modified_at": null, "published_source": "clock", "section": {"id": "nsc413", "name": "大陆新闻"}, "tags": [], "lead_image": null, "images": [], "embeds": [], "body_html": "<p>第14865007座桥在山谷里落成。</p>", "text": "桥", "content_hash": "97a709216e7782fa92ab58e471f3c9fb8d9a0906ebf6a3a21555d5ca38d14ea5", "revision": 1, "first_seen_at": "2026-11-22T01:37:17+00:00", "fetched_at": "2026-11-22T01:37:17+00:00"}');
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
INSERT INTO "wanted" VALUES('epochtimes','n14865009','https://www.epochtimes.com/gb/21/3/4/n14865009.htm',1,'HTTP 500','2026-11-20T01:00:05+00:00');
CREATE INDEX entries_of_member ON entries (outlet, member);
CREATE INDEX links_to ON links (to_outlet, to_kind, to_id);
CREATE INDEX listings_of_run ON listings (outlet, run);
CREATE INDEX listings_of_article ON listings (outlet, article_id);
CREATE INDEX runs_unfinished ON runs (outlet, run) WHERE finished_at IS NULL;
CREATE INDEX versions_of_run ON versions (outlet, run);
CREATE INDEX wanted_by_tries ON wanted (outlet, tries, article_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('stale',14);
COMMIT;
PRAGMA application_id = 1835627122;
PRAGMA user_version = 1;
