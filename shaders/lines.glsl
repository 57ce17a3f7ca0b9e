// Lines a few pixels wide, with smooth edges: each is a strip of two triangles.
#ifdef VERTEX
in vec3 a;
in vec3 b;
in vec4 color;
in float width;
uniform mat4 clip_from_scene;
uniform vec2 half_size;  // pixels
uniform float scale;
out vec4 tint;
noperspective out float off;
flat out float half_width;

void main() {
    vec4 p = clip_from_scene * vec4(a, 1.0), q = clip_from_scene * vec4(b, 1.0);
    float before_p = p.z + p.w, before_q = q.z + q.w;
    tint = color;
    half_width = 0.5 * max(width * scale, 1.0);
    off = 0.0;
    if (before_p <= 0.0 && before_q <= 0.0) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        return;
    }
    if (before_p < 0.0) p = mix(p, q, before_p / (before_p - before_q));
    if (before_q < 0.0) q = mix(q, p, before_q / (before_q - before_p));
    vec2 from = p.xy / p.w * half_size, to = q.xy / q.w * half_size, along = to - from;
    vec2 ahead = length(along) > 1e-6 ? normalize(along) : vec2(1.0, 0.0);
    off = (float(gl_VertexID & 1) * 2.0 - 1.0) * (half_width + 1.0);
    vec4 end = (gl_VertexID & 2) == 0 ? p : q;
    vec2 shift = off * vec2(-ahead.y, ahead.x);
    gl_Position = vec4(end.xy + shift / half_size * end.w, end.zw);
}
#else
in vec4 tint;
noperspective in float off;
flat in float half_width;
uniform float strength;
out vec4 color;

void main() {
    float cover = clamp(half_width + 0.5 - abs(off), 0.0, 1.0);
    color = vec4(tint.rgb, tint.a * cover * strength);
}
#endif
