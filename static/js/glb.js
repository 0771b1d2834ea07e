// <glb-viewer src>: turns a glTF binary with the mouse, a finger or the arrow keys. Draws the triangles of static meshes
// with the colours of their corners, or the colour and picture of their material. Until then, and where WebGL is
// missing, the poster inside it is seen.
(() => {
  const FLOATS = { 5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };
  const PARTS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };
  const VERTEX = `attribute vec3 place, normal; attribute vec4 colour; attribute vec2 at;
    uniform mat4 view; uniform mat3 turn; varying vec3 light; varying vec4 tint; varying vec2 spot;
    void main() { gl_Position = view * vec4(place, 1.0); light = turn * normal; tint = colour; spot = at; }`;
  const FRAGMENT = `precision mediump float; varying vec3 light; varying vec4 tint; varying vec2 spot;
    uniform vec4 base; uniform sampler2D skin; uniform float skinned;
    void main() {
      vec3 towards = normalize(light);
      float bright = 0.38 + 0.45 * abs(dot(towards, normalize(vec3(0.35, 0.55, 0.76)))) + 0.17 * max(towards.y, 0.0);
      vec4 own = mix(vec4(1.0), texture2D(skin, spot), skinned);
      gl_FragColor = vec4((tint * base * own).rgb * bright, 1.0);
    }`;

  function read(data) {
    const view = new DataView(data);
    if (view.getUint32(0, true) !== 0x46546c67) throw new Error("no glTF binary");
    const size = view.getUint32(12, true);
    const document_ = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 20, size)));
    return { gltf: document_, body: 28 + size, data };
  }

  function values({ gltf, body, data }, index) {
    const { bufferView, byteOffset = 0, componentType, count, type } = gltf.accessors[index];
    const { byteOffset: start = 0, byteStride } = gltf.bufferViews[bufferView];
    const [Kind, parts] = [FLOATS[componentType], PARTS[type]];
    const first = body + start + byteOffset;
    const step = byteStride || Kind.BYTES_PER_ELEMENT * parts;
    if (step === Kind.BYTES_PER_ELEMENT * parts) return new Kind(data.slice(first, first + step * count));
    const out = new Kind(count * parts);
    for (let at = 0; at < count; at += 1) out.set(new Kind(data.slice(first + at * step, first + at * step + Kind.BYTES_PER_ELEMENT * parts)), at * parts);
    return out;
  }

  const times = (a, b) => {
    const out = new Float32Array(16);
    for (let c = 0; c < 4; c += 1) for (let r = 0; r < 4; r += 1) for (let k = 0; k < 4; k += 1) out[c * 4 + r] += a[k * 4 + r] * b[c * 4 + k];
    return out;
  };

  function placed({ matrix, translation: t = [0, 0, 0], rotation: [x, y, z, w] = [0, 0, 0, 1], scale: s = [1, 1, 1] }) {
    if (matrix) return new Float32Array(matrix);
    return new Float32Array([
      (1 - 2 * (y * y + z * z)) * s[0], 2 * (x * y + z * w) * s[0], 2 * (x * z - y * w) * s[0], 0,
      2 * (x * y - z * w) * s[1], (1 - 2 * (x * x + z * z)) * s[1], 2 * (y * z + x * w) * s[1], 0,
      2 * (x * z + y * w) * s[2], 2 * (y * z - x * w) * s[2], (1 - 2 * (x * x + y * y)) * s[2], 0,
      t[0], t[1], t[2], 1,
    ]);
  }

  function flat(places, faces) {
    const out = new Float32Array(places.length);
    for (let at = 0; at + 2 < faces.length; at += 3) {
      const [a, b, c] = [faces[at] * 3, faces[at + 1] * 3, faces[at + 2] * 3];
      const u = [0, 1, 2].map((i) => places[b + i] - places[a + i]);
      const v = [0, 1, 2].map((i) => places[c + i] - places[a + i]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (const corner of [a, b, c]) for (let i = 0; i < 3; i += 1) out[corner + i] += n[i];
    }
    return out;
  }

  async function parts(file) {
    const { gltf, body, data } = file;
    const found = [];
    const nodes = gltf.nodes ?? [];
    const walk = (index, above) => {
      const node = nodes[index];
      const here = times(above, placed(node));
      for (const part of gltf.meshes?.[node.mesh]?.primitives ?? []) if ((part.mode ?? 4) === 4) found.push({ part, here });
      for (const child of node.children ?? []) walk(child, here);
    };
    const identity = new Float32Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    for (const root of gltf.scenes?.[gltf.scene ?? 0]?.nodes ?? nodes.keys()) walk(root, identity);
    return Promise.all(found.map(async ({ part, here }) => {
      const local = values(file, part.attributes.POSITION);
      const places = new Float32Array(local.length);
      for (let at = 0; at < local.length; at += 3) for (let i = 0; i < 3; i += 1) places[at + i] = here[i] * local[at] + here[4 + i] * local[at + 1] + here[8 + i] * local[at + 2] + here[12 + i];
      const count = places.length / 3;
      const faces = part.indices === undefined ? Uint32Array.from({ length: count }, (_, at) => at) : Uint32Array.from(values(file, part.indices));
      const plain = gltf.materials?.[part.material]?.pbrMetallicRoughness ?? {};
      const own = part.attributes.COLOR_0 === undefined ? null : values(file, part.attributes.COLOR_0);
      const colours = new Float32Array(count * 4).fill(1);
      if (own) {
        const [width, most] = [own.length / count, own instanceof Uint8Array ? 255 : own instanceof Uint16Array ? 65535 : 1];
        for (let at = 0; at < count; at += 1) for (let i = 0; i < 3; i += 1) colours[at * 4 + i] = own[at * width + i] / most;
      }
      const spots = part.attributes.TEXCOORD_0 === undefined ? new Float32Array(count * 2) : Float32Array.from(values(file, part.attributes.TEXCOORD_0));
      const source = gltf.images?.[gltf.textures?.[plain.baseColorTexture?.index]?.source];
      let skin = null;
      if (source?.bufferView !== undefined) {
        const { byteOffset = 0, byteLength } = gltf.bufferViews[source.bufferView];
        skin = await createImageBitmap(new Blob([data.slice(body + byteOffset, body + byteOffset + byteLength)], { type: source.mimeType }));
      }
      return { places, normals: flat(places, faces), colours, spots, faces, base: plain.baseColorFactor ?? [1, 1, 1, 1], skin };
    }));
  }

  class GlbViewer extends HTMLElement {
    connectedCallback() {
      new IntersectionObserver((seen, watcher) => {
        if (!seen.some((one) => one.isIntersecting)) return;
        watcher.disconnect();
        this.load().catch(() => this.fail());
      }).observe(this);
    }

    fail() {
      if (this.querySelector(".screen__said")) return;
      const said = document.createElement("p");
      said.className = "screen__said small";
      said.textContent = this.dataset.failed;
      this.append(said);
    }

    async load() {
      const canvas = document.createElement("canvas");
      const gl = canvas.getContext("webgl");
      if (!gl?.getExtension("OES_element_index_uint")) throw new Error("no WebGL");
      const answer = await fetch(this.getAttribute("src"));
      if (!answer.ok) throw new Error(answer.statusText);
      const shapes = await parts(read(await answer.arrayBuffer()));
      if (!shapes.length) throw new Error("nothing to see");
      Object.assign(this, { gl, canvas, turn: [0.5, 0.3], near: 1 });
      this.prepare(shapes);
      this.replaceChildren(canvas);
      this.listen();
      new ResizeObserver(() => this.draw()).observe(this);
      this.draw();
      this.dataset.shown = "yes";
    }

    prepare(shapes) {
      const { gl } = this;
      const program = gl.createProgram();
      for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, text);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
      }
      gl.linkProgram(program);
      gl.useProgram(program);
      gl.enable(gl.DEPTH_TEST);
      const [low, high] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
      for (const { places } of shapes) places.forEach((value, at) => {
        low[at % 3] = Math.min(low[at % 3], value);
        high[at % 3] = Math.max(high[at % 3], value);
      });
      this.middle = low.map((value, at) => (value + high[at]) / 2);
      this.size = Math.hypot(...low.map((value, at) => high[at] - value)) || 1;
      this.place = (name) => gl.getUniformLocation(program, name);
      const buffer = (kind, data) => {
        const made = gl.createBuffer();
        gl.bindBuffer(kind, made);
        gl.bufferData(kind, data, gl.STATIC_DRAW);
        return made;
      };
      const slot = (name) => gl.getAttribLocation(program, name);
      this.shapes = shapes.map(({ places, normals, colours, spots, faces, base, skin }) => {
        const bound = [["place", places, 3], ["normal", normals, 3], ["colour", colours, 4], ["at", spots, 2]]
          .map(([name, data, width]) => [slot(name), buffer(gl.ARRAY_BUFFER, data), width]);
        let texture = null;
        if (skin) {
          texture = gl.createTexture();
          gl.bindTexture(gl.TEXTURE_2D, texture);
          gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, skin);
          gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
          gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
          gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
        }
        return { bound, faces: buffer(gl.ELEMENT_ARRAY_BUFFER, faces), count: faces.length, base, texture };
      });
    }

    listen() {
      const spin = (x, y) => {
        this.turn = [this.turn[0] + x, Math.max(-1.5, Math.min(1.5, this.turn[1] + y))];
        this.draw();
      };
      const zoom = (by) => {
        this.near = Math.max(0.3, Math.min(4, this.near * by));
        this.draw();
      };
      this.canvas.addEventListener("pointerdown", (event) => this.canvas.setPointerCapture(event.pointerId));
      this.canvas.addEventListener("pointermove", (event) => event.buttons && spin(event.movementX / 120, event.movementY / 120));
      this.canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        zoom(event.deltaY > 0 ? 0.9 : 1.1);
      }, { passive: false });
      this.addEventListener("keydown", (event) => {
        const act = {
          ArrowLeft: () => spin(-0.15, 0), ArrowRight: () => spin(0.15, 0), ArrowUp: () => spin(0, -0.15),
          ArrowDown: () => spin(0, 0.15), "+": () => zoom(1.1), "-": () => zoom(0.9),
        }[event.key];
        if (!act) return;
        event.preventDefault();
        event.stopPropagation();
        act();
      });
    }

    draw() {
      const { gl, canvas } = this;
      const scale = Math.min(2, devicePixelRatio);
      [canvas.width, canvas.height] = [Math.max(1, this.clientWidth * scale), Math.max(1, this.clientHeight * scale)];
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      const [a, b] = this.turn;
      const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
      const turned = [ca, sa * sb, -sa * cb, 0, 0, cb, sb, 0, sa, -ca * sb, ca * cb, 0, 0, 0, 0, 1];
      const centred = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...this.middle.map((value) => -value), 1];
      const fit = 1.7 * this.near / this.size;
      const wide = canvas.height < canvas.width ? canvas.height / canvas.width : 1;
      const high = canvas.height < canvas.width ? 1 : canvas.width / canvas.height;
      const shrunk = [fit * wide, 0, 0, 0, 0, fit * high, 0, 0, 0, 0, -0.9 / this.size, 0, 0, 0, 0, 1];
      gl.uniformMatrix4fv(this.place("view"), false, times(shrunk, times(turned, centred)));
      gl.uniformMatrix3fv(this.place("turn"), false, [0, 1, 2, 4, 5, 6, 8, 9, 10].map((at) => turned[at]));
      for (const { bound, faces, count, base, texture } of this.shapes) {
        for (const [slot, buffer, width] of bound) {
          if (slot < 0) continue;
          gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
          gl.enableVertexAttribArray(slot);
          gl.vertexAttribPointer(slot, width, gl.FLOAT, false, 0, 0);
        }
        gl.uniform4fv(this.place("base"), base);
        gl.uniform1f(this.place("skinned"), texture ? 1 : 0);
        if (texture) gl.bindTexture(gl.TEXTURE_2D, texture);
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, faces);
        gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
      }
    }
  }

  customElements.define("glb-viewer", GlbViewer);
})();
