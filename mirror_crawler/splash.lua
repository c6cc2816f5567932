-- Fetches one page with WebKit and waits until its scripts have built it. Follows no redirect and asks no other host:
-- where the page leads is for the crawler to decide.
--
-- args: url; headers (name → value) of the page's request; origins ("https://host/"), all that may be asked;
-- built (CSS selectors), one of which finds something on a page that is built; patience (seconds) for scripts;
-- via (host, port, username, password), the proxy, or nothing.
-- returns: http_status, headers and html of the page; built; loaded, whether scripts fetched data for it.
-- Without any answer it returns failed, the reason.

-- Called in the page: is it built, and how large is it?
local LOOK = [[function (selectors) {
  var built = selectors.some(function (selector) {
    try {
      return Array.prototype.some.call(document.querySelectorAll(selector), function (element) {
        return /\S/.test(element.innerText) || element.querySelector("img, iframe, video, audio, table") !== null;
      });
    } catch (error) {
      return false;  // a selector that is newer than this browser
    }
  });
  return {built: built, size: document.getElementsByTagName("*").length + document.documentElement.innerText.length};
}]]
local TICK = 0.1
local STILL = 3  -- so many looks in a row find it built and no larger

local function begins_with_one_of(url, origins)
  for _, origin in ipairs(origins) do
    if string.sub(url, 1, #origin) == origin then
      return true
    end
  end
  return false
end

local function is_redirect(status)
  return status >= 300 and status < 400
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

local function wait_until_built(splash, args)
  local look = splash:jsfunc(LOOK)
  local waited, still, size = 0, 0, -1
  while true do
    -- The page may have broken what LOOK calls.
    local ran, seen = pcall(look, args.built)
    if not ran or type(seen) ~= "table" then
      seen = {built = false}
    end
    still = (seen.built and seen.size == size) and still + 1 or 0
    size = seen.size
    if still >= STILL - 1 or waited >= args.patience then
      return seen.built
    end
    splash:wait(TICK)
    waited = waited + TICK
  end
end

function main(splash, args)
  local answer, asks_for_rest = nil, nil
  local asked, loaded = 0, false

  splash.images_enabled = false
  splash.plugins_enabled = false
  splash.html5_media_enabled = false
  splash.indexeddb_enabled = false
  splash.webgl_enabled = false
  splash:set_user_agent(args.headers["User-Agent"] or "")

  -- An error in here would let the request go, so it uses nothing that can fail.
  splash:on_request(function(request)
    asked = asked + 1
    if not begins_with_one_of(request.url, args.origins) or (answer and is_redirect(answer.status)) then
      request:abort()
      return
    end
    if args.via then
      request:set_proxy{args.via.host, args.via.port, username = args.via.username, password = args.via.password}
    end
    if asked == 1 then
      -- Given to splash:go, WebKit would drop the conditional ones.
      for name, value in pairs(args.headers) do
        request:set_header(name, value)
      end
    else
      request:set_timeout(args.patience)
    end
  end)

  splash:on_response_headers(function(response)
    if not answer then
      answer = {status = response.status, headers = response.info.headers}
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

  local ok, reason = splash:go(args.url)
  if not answer or answer.status == 0 then
    return {failed = reason or "no answer"}
  end
  if is_redirect(answer.status) then
    return {http_status = answer.status, headers = answer.headers, html = "", built = true, loaded = false}
  end
  local built = true
  if answer.status < 300 then
    if not ok then
      return {failed = reason}
    end
    built = wait_until_built(splash, args)
    if not built and asks_for_rest then
      answer = asks_for_rest
    end
  end
  return {http_status = answer.status, headers = answer.headers, html = splash:html(), built = built, loaded = loaded}
end
