// What the pages do a little better with scripts. Everything works without this file.
(function () {
  "use strict";

  // The device's time zone, so that times can be shown in it too.
  function tellZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const told = "zone=" + zone;
    if (/^[\w+/-]+$/.test(zone) && !document.cookie.split("; ").includes(told)) {
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = told + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
    }
  }

  try { tellZone(); } catch (error) { /* an old browser: times are shown in the group's own zone */ }
})();
