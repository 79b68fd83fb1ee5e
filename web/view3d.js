/* The 3D view of a scene, drawn by hand in WebGL 1: points, cameras as frusta, and the picture of the
   chosen camera on its frustum. SPDX-License-Identifier: Apache-2.0

   Frames. The world is the scene's own. It is turned so that up is +z, moved so that the middle of the
   points is the origin, and scaled so that most of them lie within 1: that is the stage, in which the
   orbit (orbit.js) moves. Points stay as the page has them, 16 bits an axis; the matrix of the draw
   call takes them from their box to the screen, so that nothing large is ever computed in 32 bits.

   makeView3d(canvas, on) gives null where there is no WebGL. `on` has pick(i), hover(i), moved(),
   each called with the index of a camera or -1. */
"use strict";
const makeView3d = (() => {

/* ---- vectors, and 4 x 4 matrices by columns ---- */
const add = (a, b, k = 1) => [a[0] + k * b[0], a[1] + k * b[1], a[2] + k * b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const length = a => Math.hypot(a[0], a[1], a[2]);
const unit = a => { const n = length(a) || 1; return [a[0] / n, a[1] / n, a[2] / n]; };
const clamp = (x, lo, hi) => Math.min(hi, Math.max(lo, x));
function times(a, b) {
  const m = new Array(16);
  for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++)
    m[4 * c + r] = a[r] * b[4 * c] + a[4 + r] * b[4 * c + 1] + a[8 + r] * b[4 * c + 2] + a[12 + r] * b[4 * c + 3];
  return m;
}
const apply = (m, x) => [0, 1, 2, 3].map(r => m[r] * x[0] + m[4 + r] * x[1] + m[8 + r] * x[2] + m[12 + r]);
/* v in the world, of a vector in the camera: by the conjugate of cam_from_world. */
function toWorld(q, v) {
  const u = [-q[1], -q[2], -q[3]], t = cross(u, v).map(x => 2 * x);
  return add(add(v, t, q[0]), cross(u, t));
}
const quantile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];

/* ---- what a scene looks like in the stage ---- */

function bytesOf(base64) {
  const text = atob(base64), out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/* The rows of the rotation that puts up on +z. East stays east where +z is up already. */
function uprightFrame(scene) {
  const z = unit(scene.up);
  if (z[2] > 0.999999) return [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const right = scene.views.length ? toWorld(scene.views[0].q, [1, 0, 0]) : [1, 0, 0];
  let x = add(right, z, -dot(right, z));
  if (length(x) < 0.1) x = cross([0, 1, 0], z);
  if (length(x) < 0.1) x = cross([1, 0, 0], z);
  x = unit(x);
  return [x, cross(z, x), z];
}

const SAMPLE = 20000; /* the first points are spread evenly over all of them */

function samplePoints(scene, steps, frame) {
  const c = scene.cloud, out = [];
  for (let i = 0; c && i < Math.min(c.n, SAMPLE); i++) {
    const p = [0, 1, 2].map(a => c.lo[a] + c.size[a] * steps[3 * i + a] / 65535);
    out.push(frame.map(row => dot(row, p)));
  }
  return out;
}

/* Middle and radius, by the points where there are enough of them, and so that most cameras are in. */
function extentOf(points, centres) {
  const basis = points.length >= 8 ? points : points.concat(centres);
  if (basis.length === 0) return { middle: [0, 0, 0], radius: 1 };
  const middle = [0, 1, 2].map(a => {
    const v = basis.map(p => p[a]).sort((x, y) => x - y);
    return (quantile(v, 0.1) + quantile(v, 0.5) * 2 + quantile(v, 0.9)) / 4;
  });
  const far = (list, p) => quantile(list.map(x => length(add(x, middle, -1))).sort((x, y) => x - y), p) || 0;
  return { middle, radius: Math.max(far(basis, 0.85), 0.8 * (centres.length ? far(centres, 0.9) : 0)) || 1 };
}

/* A target and a distance from which the middle 96 % of the points and all frusta (the middle of very
   many) are in view along the given axes (right, up, back). With k the tangent to a side of the view, an
   eye at e on an axis and f in depth has a point (x, z) in it where |x - e| <= k (f - z); so the extremes
   of x + k z and -x + k z say where the eye must be. The depth is the larger of both axes; where one has
   room to spare, the k that just needs that depth puts its points in the middle. */
function framed({ middling, frusta }, axes, tan, aspect) {
  const lists = [[middling, 0.02], [frusta, frusta.length > 200 ? 0.02 : 0]].filter(l => l[0].length > 0);
  const seen = lists.map(([points, tail]) => [points.map(p => axes.map(a => dot(a, p))), tail]);
  if (seen.length === 0) return { target: [0, 0, 0], dist: 3 };
  const most = f => Math.max(...seen.map(([points, tail]) => quantile(points.map(f).sort((a, b) => a - b), 1 - tail)));
  const needs = (a, k) => { const one = most(p => p[a] + k * p[2]), other = most(p => k * p[2] - p[a]); return { e: (one - other) / 2, f: (one + other) / 2 / k }; };
  const sides = [0.87 * tan * aspect, 0.87 * tan], dist = clamp(Math.max(needs(0, sides[0]).f, needs(1, sides[1]).f), 0.3, 30);
  let target = [0, 0, 0];
  for (const a of [0, 1]) {
    let lo = 0.02 * sides[a], hi = sides[a];
    for (let i = 0; i < 12; i++) { const k = (lo + hi) / 2; if (needs(a, k).f > dist) lo = k; else hi = k; }
    target = add(target, axes[a], needs(a, hi).e);
  }
  return { target, dist };
}

/* Half the distance that neighbouring cameras have, within reason. */
function frustumSize(centres) {
  const some = centres.length > 400 ? centres.filter((_, i) => i % Math.ceil(centres.length / 400) === 0) : centres;
  const near = some.map(a => some.reduce((best, b) => {
    const d = length(add(a, b, -1));
    return d > 1e-9 && d < best ? d : best;
  }, Infinity)).filter(isFinite).sort((a, b) => a - b);
  return clamp(near.length ? 0.55 * quantile(near, 0.5) : 0.1, 0.012, 0.1);
}

function prepare(scene) {
  const frame = uprightFrame(scene), c = scene.cloud;
  const steps = c ? new Uint16Array(bytesOf(c.xyz).buffer) : new Uint16Array(0);
  const turned = scene.views.map(v => frame.map(row => dot(row, v.c)));
  const sample = samplePoints(scene, steps, frame), { middle, radius } = extentOf(sample, turned);
  const toStage = p => add(p, middle, -1).map(x => x / radius);
  const centres = turned.map(toStage), size = frustumSize(centres);
  const turn = v => frame.map(row => dot(row, v));
  const cameras = scene.views.map((v, i) => {
    const xy = scene.cameras[v.camera].corners, ray = (x, y) => turn(toWorld(v.q, [x, y, 1]));
    const deep = size * clamp(1.3 / Math.hypot(xy[0] - xy[4], xy[1] - xy[5]), 0.4, 2); /* pictures of one size, but a tele is no needle */
    const corners = [0, 1, 2, 3].map(k => add(centres[i], ray(xy[2 * k], xy[2 * k + 1]), deep));
    const top = unit(add(add(corners[0], corners[1]), add(corners[2], corners[3]), -1));
    return { centre: centres[i], corners, top, forward: ray(0, 0), reach: [0, 1].map(a => Math.max(...[0, 1, 2, 3].map(k => Math.abs(xy[2 * k + a])))) };
  });
  const frusta = cameras.filter(k => length(k.centre) < 3).flatMap(k => [k.centre, ...k.corners]), middling = sample.slice(0, 3000).map(toStage).filter(p => length(p) < 1.35);
  /* columns: where a step of each axis goes, and the corner of the box */
  const box = [];
  for (let a = 0; a < 3; a++) box.push(...turn([0, 1, 2].map(b => c && a === b ? c.size[a] / radius : 0)), 0);
  box.push(...(c ? toStage(turn(c.lo)) : [0, 0, 0]), 1);
  const ends = [0, 1, 2, 3, 4, 5, 6, 7].map(k => length(apply(box, [k & 1, k >> 1 & 1, k >> 2]))).concat(centres.map(length));
  return { n: c ? c.n : 0, steps, rgb: c ? bytesOf(c.rgb) : new Uint8Array(0), box, cameras, radius, middling, frusta, bound: Math.max(1, ...ends), size };
}

/* ---- programs ---- */

const POINTS = [`
attribute vec3 at; attribute vec3 colour; uniform mat4 m; uniform vec4 size; uniform vec2 haze;
varying vec3 c; varying float far; varying float px;
void main() {
  gl_Position = m * vec4(at, 1.0);
  px = clamp(size.x / gl_Position.w, size.y, size.z);
  gl_PointSize = px;
  c = colour;
  far = clamp((gl_Position.w - haze.x) * haze.y, 0.0, 0.72);
}`, `
precision mediump float;
varying vec3 c; varying float far; varying float px; uniform vec3 back;
void main() {
  vec2 d = gl_PointCoord - 0.5;
  if (px > 2.5 && dot(d, d) > 0.25) discard;
  gl_FragColor = vec4(mix(c, back, far), 1.0);
}`];

/* A line is a strip of two triangles as wide as wanted; `side` tells the corner. What lies behind the
   eye is cut off first, or its end would come out on the wrong side. */
const LINES = [`
attribute vec3 a; attribute vec3 b; attribute float side; uniform mat4 m; uniform vec3 view;
void main() {
  vec4 p = m * vec4(a, 1.0), q = m * vec4(b, 1.0);
  float near = 1e-4;
  if (p.w < near && q.w > near) p = mix(p, q, (near - p.w) / (q.w - p.w));
  else if (q.w < near && p.w > near) q = mix(q, p, (near - q.w) / (p.w - q.w));
  vec2 way = (q.xy / q.w - p.xy / p.w) * view.xy;
  vec2 across = length(way) > 1e-6 ? normalize(vec2(-way.y, way.x)) : vec2(0.0, 1.0);
  gl_Position = p + vec4(across * side * view.z / view.xy * p.w, 0.0, 0.0);
}`, `
precision mediump float; uniform vec4 colour;
void main() { gl_FragColor = colour; }`];

const FACES = [`
attribute vec3 at; uniform mat4 m;
void main() { gl_Position = m * vec4(at, 1.0); }`, LINES[1]];

const PICTURE = [`
attribute vec3 at; attribute vec2 uv; uniform mat4 m; varying vec2 t;
void main() { gl_Position = m * vec4(at, 1.0); t = uv; }`, `
precision mediump float; uniform sampler2D image; uniform float alpha; varying vec2 t;
void main() { gl_FragColor = vec4(texture2D(image, t).rgb, alpha); }`];

function link(gl, [vertex, fragment]) {
  const p = gl.createProgram();
  for (const [type, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const s = gl.createShader(type);
    gl.shaderSource(s, text);
    gl.compileShader(s);
    gl.attachShader(p, s);
  }
  gl.linkProgram(p);
  if (!gl.getProgramParameter(p, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(p) || "shader");
  const out = { p, a: {}, u: {} };
  for (let i = 0; i < gl.getProgramParameter(p, gl.ACTIVE_ATTRIBUTES); i++) { const n = gl.getActiveAttrib(p, i).name; out.a[n] = gl.getAttribLocation(p, n); }
  for (let i = 0; i < gl.getProgramParameter(p, gl.ACTIVE_UNIFORMS); i++) { const n = gl.getActiveUniform(p, i).name; out.u[n] = gl.getUniformLocation(p, n); }
  return out;
}

/* Eight edges of a frustum and a tick on its upper side; six corners an edge. */
const EDGES = 10;
function frustumLines(k, size) {
  const [a, b, c, d] = k.corners, mid = add(a, b).map(x => x / 2), half = length(add(a, b, -1)) / 2, peak = add(mid, k.top, 0.45 * half);
  const left = add(mid, unit(add(a, b, -1)), 0.45 * half), right = add(mid, unit(add(b, a, -1)), 0.45 * half), out = [];
  for (const [p, q] of [[k.centre, a], [k.centre, b], [k.centre, c], [k.centre, d], [a, b], [b, c], [c, d], [d, a], [left, peak], [peak, right]])
    for (const [from, to, side] of [[p, q, 1], [p, q, -1], [q, p, 1], [q, p, 1], [p, q, 1], [q, p, -1]]) out.push(...from, ...to, side);
  return out;
}

const numbersOf = css => { const v = parseInt(css.trim().slice(1), 16); return [v >> 16 & 255, v >> 8 & 255, v & 255].map(x => x / 255); };

return (canvas, on) => {
  const options = { antialias: true, alpha: false, powerPreference: "default" };
  const gl = canvas.getContext("webgl", options) || canvas.getContext("experimental-webgl", options);
  if (!gl) return null;
  let programs, buffers = {}, stage = null, scene = null, colours = {}, drawn = false, matrix = null;
  const look = { chosen: -1, over: -1, cameras: true, points: 1, texture: null, aspect: 1 };
  const orbit = makeOrbit(canvas, { changed: redraw, pick, hover, centreOn });

  function redraw() {
    if (drawn) return;
    drawn = true;
    requestAnimationFrame(() => { drawn = false; draw(); });
  }

  function readColours() {
    const s = getComputedStyle(canvas);
    for (const n of ["land", "accent", "warn"]) colours[n] = numbersOf(s.getPropertyValue("--" + n));
    redraw();
  }

  function upload(name, data) {
    if (!buffers[name]) buffers[name] = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  }

  function build() {
    programs = { points: link(gl, POINTS), lines: link(gl, LINES), faces: link(gl, FACES), picture: link(gl, PICTURE) };
    buffers = {};
    look.texture = null;
    if (stage) fillBuffers();
  }

  function fillBuffers() {
    upload("at", stage.steps);
    upload("colour", stage.rgb);
    upload("lines", new Float32Array(stage.cameras.flatMap(k => frustumLines(k, stage.size))));
    upload("faces", new Float32Array(stage.cameras.flatMap(k => [0, 1, 2, 0, 2, 3].flatMap(i => k.corners[i]))));
  }

  /* One attribute of a buffer: how many numbers, of which type, at which stride and offset in bytes. */
  function feed(where, name, n, type, stride = 0, offset = 0) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.enableVertexAttribArray(where);
    gl.vertexAttribPointer(where, n, type, type !== gl.FLOAT, stride, offset);
  }

  function use(p) {
    for (let i = 0; i < 4; i++) gl.disableVertexAttribArray(i);
    gl.useProgram(p.p);
    return p;
  }

  /* ---- drawing ---- */

  function drawPoints(height) {
    const p = use(programs.points), dpr = height / (canvas.clientHeight || height), s = orbit.state;
    const world = clamp(1.5 / Math.sqrt(stage.n), 0.003, 0.015) * look.points;
    feed(p.a.at, "at", 3, gl.UNSIGNED_SHORT);
    feed(p.a.colour, "colour", 3, gl.UNSIGNED_BYTE);
    gl.uniformMatrix4fv(p.u.m, false, times(matrix, stage.box));
    gl.uniform4f(p.u.size, world * height / 2 / s.tan, 1.4 * dpr * Math.min(1, look.points), 9 * dpr * look.points, 0);
    gl.uniform2f(p.u.haze, s.dist + 0.4, 0.16);
    gl.uniform3fv(p.u.back, colours.land);
    gl.drawArrays(gl.POINTS, 0, stage.n);
  }

  function drawLines(first, n, colour, alpha, width, w, h) {
    const p = use(programs.lines), per = 28;
    feed(p.a.a, "lines", 3, gl.FLOAT, per, 0);
    feed(p.a.b, "lines", 3, gl.FLOAT, per, 12);
    feed(p.a.side, "lines", 1, gl.FLOAT, per, 24);
    gl.uniformMatrix4fv(p.u.m, false, matrix);
    gl.uniform3f(p.u.view, w, h, width * h / (canvas.clientHeight || h));
    gl.uniform4f(p.u.colour, ...colour, alpha);
    gl.drawArrays(gl.TRIANGLES, first * EDGES * 6, n * EDGES * 6);
  }

  function drawFaces(first, n, colour, alpha) {
    const p = use(programs.faces);
    feed(p.a.at, "faces", 3, gl.FLOAT);
    gl.uniformMatrix4fv(p.u.m, false, matrix);
    gl.uniform4f(p.u.colour, ...colour, alpha);
    gl.drawArrays(gl.TRIANGLES, first * 6, n * 6);
  }

  /* Seen from its own camera the picture lets the points through. */
  function drawPicture(i) {
    const p = use(programs.picture), k = stage.cameras[i];
    const c = [0, 1, 2, 0, 2, 3].flatMap(j => [...k.corners[j], j === 1 || j === 2 ? 1 : 0, j > 1 ? 1 : 0]);
    const away = length(add(orbit.eye(), k.centre, -1)) / stage.size;
    upload("picture", new Float32Array(c));
    feed(p.a.at, "picture", 3, gl.FLOAT, 20, 0);
    feed(p.a.uv, "picture", 2, gl.FLOAT, 20, 12);
    gl.uniformMatrix4fv(p.u.m, false, matrix);
    gl.uniform1f(p.u.alpha, clamp(0.35 + 0.3 * away, 0.35, 0.96));
    gl.drawArrays(gl.TRIANGLES, 0, 6);
  }

  function draw() {
    if (!stage || gl.isContextLost()) return;
    const dpr = Math.min(devicePixelRatio || 1, 2), w = Math.max(1, Math.round(canvas.clientWidth * dpr)), h = Math.max(1, Math.round(canvas.clientHeight * dpr));
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    matrix = orbit.matrix(w / h, stage.bound);
    gl.viewport(0, 0, w, h);
    gl.clearColor(...colours.land, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.disable(gl.BLEND);
    if (stage.n > 0) drawPoints(h);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    const n = stage.cameras.length;
    if (look.cameras && n > 0) {
      gl.depthMask(false);
      drawFaces(0, n, colours.accent, 0.1);
      gl.depthMask(true);
      drawLines(0, n, colours.accent, 0.85, 1.2, w, h);
      if (look.over >= 0 && look.over !== look.chosen) drawLines(look.over, 1, colours.accent, 1, 2.2, w, h);
    }
    if (look.chosen >= 0) {
      if (look.texture) drawPicture(look.chosen);
      drawLines(look.chosen, 1, colours.warn, 1, 2.2, w, h);
    }
    on.moved();
  }

  /* ---- choosing ---- */

  const onScreen = x => {
    const p = apply(matrix, x);
    return p[3] > 1e-4 ? [(p[0] / p[3] + 1) / 2 * canvas.clientWidth, (1 - p[1] / p[3]) / 2 * canvas.clientHeight, p[3]] : null;
  };
  function inside(p, ring) { /* by crossings */
    let odd = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const a = ring[i], b = ring[j];
      if ((a[1] > p[1]) !== (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0]) odd = !odd;
    }
    return odd;
  }
  /* The nearest camera whose drawing is under a place on the screen, or that is close to it. */
  function cameraAt(x, y, slack) {
    let best = -1, depth = Infinity, close = -1, distance = slack;
    if (!stage || !matrix || !look.cameras) return -1;
    stage.cameras.forEach((k, i) => {
      const c = onScreen(k.centre), ring = k.corners.map(onScreen);
      if (!c || ring.some(r => !r)) return;
      const hit = inside([x, y], ring) || [0, 1, 2, 3].some(j => inside([x, y], [c, ring[j], ring[(j + 1) % 4]]));
      if (hit && c[2] < depth) { depth = c[2]; best = i; }
      const d = Math.hypot(c[0] - x, c[1] - y);
      if (d < distance) { distance = d; close = i; }
    });
    return best >= 0 ? best : close;
  }
  function pick(x, y, coarse) { on.pick(cameraAt(x, y, coarse ? 24 : 8)); }
  function hover(x, y) {
    const i = x === null ? -1 : cameraAt(x, y, 5);
    if (i === look.over) return;
    look.over = i;
    canvas.style.cursor = i >= 0 ? "pointer" : "";
    on.hover(i, x, y);
    redraw();
  }
  /* The orbit goes around the nearest point under the cursor. */
  function centreOn(x, y) {
    const m = times(matrix, stage.box).map(Math.fround), q = stage.steps, w = canvas.clientWidth, h = canvas.clientHeight;
    let best = -1, depth = Infinity;
    for (let i = 0; i < stage.n; i++) {
      const a = q[3 * i] / 65535, b = q[3 * i + 1] / 65535, c = q[3 * i + 2] / 65535, d = m[3] * a + m[7] * b + m[11] * c + m[15];
      if (d < 1e-4 || d >= depth) continue;
      const u = ((m[0] * a + m[4] * b + m[8] * c + m[12]) / d + 1) / 2 * w - x, v = (1 - (m[1] * a + m[5] * b + m[9] * c + m[13]) / d) / 2 * h - y;
      if (u * u + v * v < 64) { depth = d; best = i; }
    }
    if (best >= 0) orbit.go({ target: apply(stage.box, [0, 1, 2].map(a => q[3 * best + a] / 65535)).slice(0, 3), dist: orbit.state.dist * 0.6 });
  }

  /* ---- from outside ---- */

  function setPicture(image) {
    if (!image) { look.texture = null; return; }
    const old = buffers.texture || (buffers.texture = gl.createTexture());
    gl.bindTexture(gl.TEXTURE_2D, old);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, image);
    for (const [name, value] of [["MIN_FILTER", "LINEAR"], ["MAG_FILTER", "LINEAR"], ["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"]])
      gl.texParameteri(gl.TEXTURE_2D, gl["TEXTURE_" + name], gl[value]);
    look.texture = old;
  }
  /* From the side of the cameras, a little from above; where they are on all sides, from anywhere. */
  function home() {
    const n = stage.cameras.length || 1, mean = stage.cameras.reduce((s, k) => add(s, k.centre, 1 / n), [0, 0, 0]);
    const down = stage.cameras.reduce((s, k) => s - k.forward[2] / n, 0), flat = Math.hypot(mean[0], mean[1]);
    const to = { tan: Math.tan(Math.PI / 8), pitch: clamp(Math.atan2(mean[2], flat) + 0.25, 0.3, down > 0.8 ? 0.9 : 0.7), yaw: flat > 0.15 ? Math.atan2(mean[1], mean[0]) + 0.55 : -1.1 };
    orbit.go({ ...to, ...framed(stage, orbit.axes(to), to.tan, canvas.clientWidth / canvas.clientHeight) });
  }
  const view = {
    load(next) {
      scene = next;
      stage = prepare(next);
      look.chosen = look.over = -1;
      look.texture = null;
      fillBuffers();
      home();
      orbit.settle();
    },
    fit: home,
    choose(i, image) {
      look.chosen = i;
      setPicture(image);
      redraw();
    },
    through(i) {
      const k = stage.cameras[i], aspect = canvas.clientWidth / canvas.clientHeight, dir = k.forward.map(x => -x);
      const d = clamp(-dot(k.centre, k.forward), 0.3, 3), right = unit(cross(k.forward, k.top));
      orbit.go({ target: add(k.centre, k.forward, d), dist: d, tan: 1.12 * Math.max(k.reach[1], k.reach[0] / aspect), pitch: Math.asin(clamp(dir[2], -1, 1)),
        yaw: Math.abs(dir[2]) < 0.97 ? Math.atan2(dir[1], dir[0]) : Math.atan2(-right[0], right[1]) });
    },
    toggleCameras() { look.cameras = !look.cameras; redraw(); return look.cameras; },
    scalePoints(by) { look.points = clamp(look.points * by, 0.35, 5); redraw(); },
    /* pixels of one unit of the scene at the middle of the view, and the bearing of the view */
    scale: () => canvas.clientHeight / 2 / (orbit.state.tan * orbit.state.dist) / stage.radius,
    yaw: () => orbit.state.yaw,
    colours: readColours, redraw, orbit
  };
  canvas.addEventListener("webglcontextlost", e => e.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => { build(); redraw(); });
  if (window.ResizeObserver) new ResizeObserver(redraw).observe(canvas);
  build();
  readColours();
  return view;
};
})();
