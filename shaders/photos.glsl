// Thumbnails of photos, each where its camera's picture would be.
#ifdef VERTEX
in vec3 center;
in vec3 right;
in vec3 down;
uniform mat4 clip_from_scene;
out vec3 uv;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
    uv = vec3(corner * 0.5 + 0.5, gl_InstanceID);
    gl_Position = clip_from_scene * vec4(center + corner.x * right + corner.y * down, 1.0);
}
#else
in vec3 uv;
uniform sampler2DArray thumbnails;
out vec4 color;

void main() {
    color = vec4(texture(thumbnails, uv).rgb, 1.0);
}
#endif
