/* The eye of the 3D view: an orbit around a target, moved by mouse, touch and keys.
   SPDX-License-Identifier: Apache-2.0

   +z is up. The eye is at target + dist * (cos pitch cos yaw, cos pitch sin yaw, sin pitch); `tan` is the
   tangent of half the vertical field of view. One finger or the left button turns, two fingers or the
   right button move and zoom. The wheel zooms, and a finger's vertical stroke turns, only once the view
   was clicked: before that both belong to the page that scrolls. */
"use strict";
const makeOrbit = (element, on) => {
  const state = { target: [0, 0, 0], dist: 3, yaw: 0, pitch: 0.4, tan: 0.41 };
  const STEEP = Math.PI / 2 - 0.001, clamp = (x, lo, hi) => Math.min(hi, Math.max(lo, x));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let flight = null;

  const toEye = s => [Math.cos(s.pitch) * Math.cos(s.yaw), Math.cos(s.pitch) * Math.sin(s.yaw), Math.sin(s.pitch)];
  const eye = () => toEye(state).map((x, i) => state.target[i] + state.dist * x);
  /* right, up and back of a view, as rows */
  function axes(s = state) {
    const z = toEye(s), x = [-Math.sin(s.yaw), Math.cos(s.yaw), 0];
    return [x, [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]], z];
  }
  /* screen from stage; everything within `bound` of the origin lies before the far plane */
  function matrix(aspect, bound) {
    const a = axes(), e = eye(), near = state.dist * 0.01, far = state.dist + Math.hypot(...state.target) + 1.05 * bound + near;
    const fy = 1 / state.tan, fx = fy / aspect, k = -(far + near) / (far - near), d = -2 * far * near / (far - near);
    const t = a.map(r => -(r[0] * e[0] + r[1] * e[1] + r[2] * e[2])), m = [];
    for (let i = 0; i < 3; i++) m.push(fx * a[0][i], fy * a[1][i], k * a[2][i], -a[2][i]);
    return m.concat([fx * t[0], fy * t[1], k * t[2] + d, -t[2]]);
  }

  /* ---- ways to move ---- */

  function land() { flight = null; }
  function turn(dx, dy) {
    land();
    state.yaw -= dx;
    state.pitch = clamp(state.pitch + dy, -STEEP, STEEP);
    on.changed();
  }
  function shift(dx, dy) { /* pixels */
    land();
    const a = axes(), k = 2 * state.dist * state.tan / element.clientHeight;
    state.target = state.target.map((x, i) => x - k * dx * a[0][i] + k * dy * a[1][i]);
    on.changed();
  }
  function zoom(by) {
    land();
    state.dist = clamp(state.dist * by, 0.005, 60);
    on.changed();
  }
  /* Flies to other values of some of the state, the short way around. */
  function go(to) {
    const from = { ...state, target: [...state.target] }, end = { ...from, ...to };
    end.pitch = clamp(end.pitch, -STEEP, STEEP);
    from.yaw = end.yaw + Math.atan2(Math.sin(from.yaw - end.yaw), Math.cos(from.yaw - end.yaw));
    flight = { from, end, begun: performance.now() };
    if (calm.matches) settle(); else requestAnimationFrame(fly);
  }
  function place(f) {
    const { from, end } = flight, mix = (a, b) => a + (b - a) * f;
    for (const n of ["yaw", "pitch", "tan"]) state[n] = mix(from[n], end[n]);
    state.dist = Math.exp(mix(Math.log(from.dist), Math.log(end.dist)));
    state.target = from.target.map((x, i) => mix(x, end.target[i]));
  }
  function fly(now) {
    if (!flight) return;
    const t = clamp((now - flight.begun) / 420, 0, 1);
    place(t * t * (3 - 2 * t));
    on.changed();
    if (t < 1) requestAnimationFrame(fly); else land();
  }
  function settle() { /* the end of the flight at once */
    if (flight) place(1);
    land();
    on.changed();
  }

  /* ---- pointers ---- */

  const down = new Map();
  let moved = 0, many = false;
  const at = e => { const r = element.getBoundingClientRect(); return { x: e.clientX - r.left, y: e.clientY - r.top }; };
  function pair() {
    const [a, b] = [...down.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, d: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  }
  element.addEventListener("pointerdown", e => {
    if (down.size === 0) { moved = 0; many = false; }
    element.setPointerCapture(e.pointerId);
    down.set(e.pointerId, at(e));
    many = many || down.size > 1;
    on.hover(null, null);
  });
  element.addEventListener("pointermove", e => {
    const p = at(e), old = down.get(e.pointerId);
    if (!old) { if (e.pointerType === "mouse") on.hover(p.x, p.y); return; }
    const before = down.size === 2 ? pair() : null;
    down.set(e.pointerId, p);
    moved += Math.abs(p.x - old.x) + Math.abs(p.y - old.y);
    if (moved < 4) return;
    if (before) {
      const now = pair();
      shift(now.x - before.x, now.y - before.y);
      zoom(before.d / now.d);
    } else if (down.size === 1 && (e.buttons & 2 || e.buttons & 4 || e.shiftKey)) shift(p.x - old.x, p.y - old.y);
    else if (down.size === 1) turn((p.x - old.x) * 0.007, (p.y - old.y) * 0.007);
  });
  function up(e) {
    const p = down.get(e.pointerId);
    down.delete(e.pointerId);
    if (p && e.type === "pointerup" && moved < 4 && !many && e.button === 0) {
      element.focus({ preventScroll: true });
      on.pick(p.x, p.y, e.pointerType !== "mouse");
    }
  }
  for (const n of ["pointerup", "pointercancel"]) element.addEventListener(n, up);
  element.addEventListener("pointerleave", () => on.hover(null, null));
  element.addEventListener("dblclick", e => { const p = at(e); on.centreOn(p.x, p.y); });
  element.addEventListener("contextmenu", e => e.preventDefault());
  element.addEventListener("wheel", e => {
    if (document.activeElement !== element && !e.ctrlKey) return;
    e.preventDefault();
    zoom(Math.exp(clamp(e.deltaY * (e.deltaMode === 1 ? 30 : e.deltaMode === 2 ? 300 : 1), -300, 300) * 0.0014));
  }, { passive: false });

  /* ---- keys ---- */

  element.addEventListener("keydown", e => {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (arrow && e.shiftKey) shift(-40 * arrow[0], -40 * arrow[1]);
    else if (arrow) turn(-0.12 * arrow[0], -0.12 * arrow[1]);
    else if (e.key === "+" || e.key === "=") zoom(0.85);
    else if (e.key === "-" || e.key === "_") zoom(1 / 0.85);
    else return;
    e.preventDefault();
  });

  return { state, axes, matrix, eye, go, settle };
};
