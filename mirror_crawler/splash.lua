-- Fetches one page with WebKit and waits until its scripts have built it. Follows no redirect and asks no other host:
-- where the page leads is for the crawler to decide.
--
-- args: url; headers (name → value) of the page's request; origins ("https://host/"), all that may be asked;
-- built (a JSON array of CSS selectors), one of which finds something on a page that is built; patience (seconds) for
-- scripts; largest (bytes) that a page may have; via (host, port, username, password), the proxy, or nothing;
-- markup, the page as it was sent, when it is not to be fetched again.
-- returns: http_status, headers and html of the page; built, nothing when the page cannot be looked at; loaded, whether
-- scripts fetched data for it; charset, how it was read, and, unless that is UTF-8, sent, its bytes.
-- Without any answer it returns failed, the reason: "large" for more than args.largest.

-- Evaluated in the page: is it built, how large is it, how was it read?
local LOOK = [[(function (selectors) {
  var built = selectors.some(function (selector) {
    try {
      return Array.prototype.some.call(document.querySelectorAll(selector), function (element) {
        return /\S/.test(element.innerText) || element.querySelector("img, iframe, video, audio, table") !== null;
      });
    } catch (error) {
      return false;  // a selector that is newer than this browser
    }
  });
  var root = document.documentElement;
  return {
    built: built,
    size: document.getElementsByTagName("*").length + root.textContent.length,
    charset: document.characterSet
  };
})]]
local TICK = 0.1
local STILL = 3  -- so many looks in a row find it built and no larger
local SHORT_TICK, WEIGH = 0.02, 10  -- while it comes; what has come is weighed every so many

local function begins_with_one_of(url, origins)
  for _, origin in ipairs(origins) do
    if string.sub(url, 1, #origin) == origin then
      return true
    end
  end
  return false
end

-- What WebKit sends for pages and frames, and scripts do not.
local function is_for_a_page(request)
  return begins_with_one_of(request.headers["Accept"] or "", {"text/html,application/xhtml+xml"})
end

local function is_redirect(status)
  return status >= 300 and status < 400
end

local function has_no_page(status)
  return is_redirect(status) or status == 204 or status == 205
end

-- Code, styles, pictures and fonts; what scripts load besides is data.
local function is_furniture(mime)
  mime = string.lower(mime)
  for _, word in ipairs({"script", "css", "image/", "font"}) do
    if string.find(mime, word, 1, true) then
      return true
    end
  end
  return false
end

-- Whether more has come by now: of the page and of all that it loads, unpacked. What came last may not be counted yet.
local function is_larger(splash, largest)
  local sum = 0
  for _, entry in ipairs(splash:har().log.entries) do
    local size = entry.response and entry.response.bodySize or 0
    if size > 0 then
      sum = sum + size
    end
  end
  return sum > largest or #splash:html() > largest
end

-- splash:go, but it does not wait for ever for a page that does not come, and for none that is_enough.
local function go(splash, url, is_enough)
  local ended, ok, reason = false, nil, nil
  splash:call_later(function()
    ok, reason = splash:go(url)
    ended = true
  end, 0)
  while not (ended or is_enough()) do
    splash:wait{time = SHORT_TICK, cancel_on_error = false}
  end
  return ok, reason
end

-- What the last look saw; nothing when the page breaks what LOOK calls, or forbids eval to a Splash that needs it.
local function wait_until_built(splash, args)
  local look = LOOK .. "(" .. args.built .. ")"
  local waited, still, size = 0, 0, -1
  while true do
    local ran, seen = pcall(function() return splash:evaljs(look) end)
    if not ran or type(seen) ~= "table" then
      seen = {}
    end
    still = (seen.built and seen.size == size) and still + 1 or 0
    size = seen.size
    if still >= STILL - 1 or waited >= args.patience then
      return seen
    end
    splash:wait(TICK)
    waited = waited + TICK
  end
end

function main(splash, args)
  local answer, asks_for_rest, sent = nil, nil, nil
  local asked, ticks, loaded, large = 0, 0, false, false

  splash.images_enabled = false
  splash.plugins_enabled = false
  splash.html5_media_enabled = false
  splash.indexeddb_enabled = false
  splash.webgl_enabled = false
  splash:set_user_agent(args.headers["User-Agent"] or "")

  if args.markup then
    asked, answer = 1, {status = 200}
  end

  -- An error in here would let the request go, so it uses nothing that can fail.
  splash:on_request(function(request)
    asked = asked + 1
    local leads_away = args.markup and is_for_a_page(request) or answer and is_redirect(answer.status)
    if leads_away or not begins_with_one_of(request.url, args.origins) then
      request:abort()
      return
    end
    if args.via then
      request:set_proxy{args.via.host, args.via.port, username = args.via.username, password = args.via.password}
    end
    if asked == 1 then
      request:enable_response_body()
      -- Given to splash:go, WebKit would drop the conditional ones.
      for name, value in pairs(args.headers) do
        request:set_header(name, value)
      end
    else
      request:set_timeout(args.patience)
    end
  end)

  splash:on_response_headers(function(response)
    local length = tonumber(response.headers["Content-Length"]) or 0
    local too_long = length > args.largest and not has_no_page(response.status)  -- a 304 may tell that of the page
    if too_long then
      response:abort()
    end
    if not answer then
      answer = {status = response.status, headers = response.info.headers}
      large = too_long
      if not is_redirect(response.status) then
        splash:lock_navigation()  -- neither scripts nor frames lead away from the page
      end
    elseif response.status > 0 and not is_furniture(response.info.content.mimeType) then
      loaded = true
      if response.status == 429 or response.status == 503 then
        asks_for_rest = {status = response.status, headers = response.info.headers}
      end
    end
  end)

  splash:on_response(function(response)
    sent = sent or response.body  -- only the page's own is kept
  end)

  local function is_enough()
    ticks = ticks + 1
    large = large or (ticks % WEIGH == 0 and is_larger(splash, args.largest))
    return large or (answer and has_no_page(answer.status))
  end

  local ok, reason
  if args.markup then
    ok, reason = splash:set_content{args.markup, mime_type = "text/html; charset=utf-8", baseurl = args.url}
    splash:lock_navigation()  -- earlier, it would keep args.markup out
  else
    ok, reason = go(splash, args.url, is_enough)
  end
  if large then
    return {failed = "large"}
  end
  if not answer or answer.status == 0 then
    return {failed = reason or "no answer"}
  end
  if has_no_page(answer.status) then
    return {http_status = answer.status, headers = answer.headers, html = "", built = true, loaded = false}
  end
  local seen = {built = true}
  if answer.status < 300 then
    if not ok then
      return {failed = reason or "no page"}
    end
    seen = wait_until_built(splash, args)
    if not seen.built and asks_for_rest then
      answer = asks_for_rest
    end
  end
  local html = splash:html()
  if #html > args.largest then
    return {failed = "large"}
  end
  return {
    http_status = answer.status, headers = answer.headers, html = html, built = seen.built, loaded = loaded,
    charset = seen.charset, sent = seen.charset ~= "UTF-8" and sent or nil
  }
end
